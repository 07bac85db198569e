/** `millrace run`. */
import { takeAnnouncement } from '../background-run.ts';
import { UsageError } from '../engine/errors.ts';
import { guardAgainstLateCode } from '../loader/late-code.ts';
import { selectForRun } from '../engine/selection.ts';
import { type RunSettings, startPool, startRun, type StartedRun } from '../engine/session.ts';
import type { RunResult } from '../engine/run-description.ts';
import { parsePath, type RunTrigger } from '../model.ts';
import type { LoadedProject } from '../loader/load-project.ts';
import { exitCodes } from './exit-codes.ts';
import { firstLine, formatCounts, formatDuration, symbolOf } from './format.ts';
import { isIncomplete, openProject, openStoreForRun, projectDirectory, tidyStore } from './open-project.ts';
import type { Store } from '../store/store.ts';
import { JsonPrinter, type PrintedFailure, RunPrinter } from './run-printer.ts';
import { say, type Terminal } from './terminal.ts';

export interface RunCommandOptions {
  readonly nodes?: readonly string[];
  readonly withUpstreams: boolean;
  readonly resume?: number;
  readonly param: Readonly<Record<string, string>>;
  readonly parallel?: number;
  readonly store: boolean;
  readonly detach?: true;
  readonly json?: true;
  readonly allowConcurrent: boolean;
  readonly trigger: RunTrigger;
}

export async function runCommand(
  terminal: Terminal,
  path: string | undefined,
  options: RunCommandOptions,
): Promise<number> {
  if (options.detach === true && !options.store) {
    throw new UsageError(
      'A run without the store cannot be detached: its output would be nowhere. Leave out --detach or --no-store.',
    );
  }
  if (options.resume !== undefined && path !== undefined) {
    throw new UsageError('A run is resumed with its own selection: give either a path or --resume.');
  }
  if (options.resume !== undefined && !options.store)
    throw new UsageError('A run cannot be resumed without the store.');
  if (options.detach === true) return (await import('./detach.ts')).detach(terminal);

  const announce = takeAnnouncement();
  const directory = projectDirectory(terminal);
  // The first worker starts before anything else: it loads the project while this process does, and needs longer.
  const early = startPool(directory, options.parallel ?? 1);
  try {
    const project = await openProject(terminal, directory);
    let tell = (text: string): void => {
      say(terminal, text);
    };
    using _guard = guardAgainstLateCode(text => {
      tell(text);
    });
    const parallel = options.parallel ?? project.config.maxParallelTasks;
    early.pool.size = parallel;
    const wanted = {
      path: parsePath(path ?? ''),
      nodes: (options.nodes ?? []).map(parsePath),
      withUpstreams: options.withUpstreams,
    };
    // What cannot be run is refused before a server is started for it.
    const selection = options.resume === undefined ? selectForRun(project.root, wanted) : undefined;
    if (project.root.nodes.size === 0) return refuseEmpty(terminal, project);
    await using store = options.store ? await openStoreForRun(directory, project.config.store) : null;
    let request: Pick<RunSettings, 'selection' | 'params' | 'resume'>;
    if (selection !== undefined) request = { selection, params: options.param, resume: null };
    else if (options.resume !== undefined && store !== null) {
      const { resumeSettings } = await import('../engine/resume.ts');
      await tidyStore(terminal, store);
      request = await resumeSettings(store, project.root, options.resume, options.param);
    } else throw new Error('neither a selection nor a run to resume');
    const printer = makePrinter(terminal, options.json === true);
    tell = text => {
      printer.notice(text);
    };
    const run = await startRun({
      directory,
      project,
      store,
      ...request,
      parallel,
      allowConcurrent: options.allowConcurrent,
      trigger: options.trigger,
      subscribers: [printer],
      notice: tell,
      pool: early,
    });
    using _signals = cancelOnSignals(run, tell);
    announce(run.runId);
    // While the tasks run, so that the end of the run does not wait for it.
    const tidied = store === null ? null : housekeeping(terminal, store, project.config.retentionDays);
    const result = await run.result;
    if (printer instanceof RunPrinter) conclude(terminal, result, printer.failures);
    for (const note of result.notes) say(terminal, note);
    // Everything was asked for, and a part of everything could not be loaded.
    const lacksFiles =
      isIncomplete(project) &&
      request.selection.pipeline === project.root &&
      request.selection.nodePaths.length === 0;
    if (lacksFiles) say(terminal, 'Not everything was run: what could not be loaded is listed above.');
    // With the store away there is nothing to tidy up, and the user knows already.
    const untidy = result.stored ? await tidied : null;
    if (untidy !== null) say(terminal, untidy);
    return exitCodeOf(result, lacksFiles);
  } finally {
    await early.pool.close();
  }
}

/** There is nothing to run in the whole project. */
function refuseEmpty(terminal: Terminal, project: LoadedProject): number {
  if (isIncomplete(project)) {
    say(terminal, 'There is nothing to run: what could not be loaded is listed above.');
    return exitCodes.failed;
  }
  throw new UsageError(
    'There is nothing to run: the project has no pipelines. They are what files like "name.pipeline.ts" export; ' +
      '"millrace init" makes a first one.',
  );
}

function makePrinter(terminal: Terminal, json: boolean): RunPrinter | JsonPrinter {
  const { stdout, stderr, style } = terminal;
  if (json) return new JsonPrinter(stdout, stderr);
  return new RunPrinter({ stdout, stderr, style, live: stdout.isTTY && process.env['TERM'] !== 'dumb' });
}

/** So many failures are told again at the end; all of them stand above, and in `millrace show`. */
const maxRecalled = 10;

/** What has failed, which may be far above by now; in the last line id, status, duration, counts. */
function conclude(terminal: Terminal, result: RunResult, failures: readonly PrintedFailure[]): void {
  for (const { nodePath, error } of failures.slice(0, maxRecalled)) {
    const reason = error === null ? '' : `: ${firstLine(error)}`;
    terminal.stdout.write(
      `${terminal.style('red', `${symbolOf('failed')} ${nodePath.join(' / ')}${reason}`)}\n`,
    );
  }
  const more = failures.length - maxRecalled;
  if (more > 0) terminal.stdout.write(`${terminal.style('red', `  and ${String(more)} more`)}\n`);
  const colour = result.status === 'succeeded' ? 'green' : result.status === 'failed' ? 'red' : 'yellow';
  const name = result.runId === null ? 'run' : `run ${String(result.runId)}`;
  const status = terminal.style([colour, 'bold'], `${symbolOf(result.status)} ${name} ${result.status}`);
  terminal.stdout.write(`${status} in ${formatDuration(result.duration)}: ${formatCounts(result.counts)}\n`);
  if (result.status === 'failed' && result.runId !== null && result.stored)
    say(terminal, `To go on from there: millrace run --resume ${String(result.runId)}`);
}

function exitCodeOf(result: RunResult, lacksFiles: boolean): number {
  switch (result.status) {
    case 'succeeded':
      return lacksFiles ? exitCodes.failed : exitCodes.success;
    case 'cancelled':
      return exitCodes.cancelled;
    case 'failed':
    case 'lost':
      return exitCodes.failed;
  }
}

/**
 * Old runs go, and what dead runners left is closed.
 *
 * @returns what kept it from being done, in words for the user.
 */
async function housekeeping(terminal: Terminal, store: Store, retentionDays: number): Promise<string | null> {
  try {
    await tidyStore(terminal, store);
    await (await import('../store/retention.ts')).pruneRuns(store, retentionDays);
    return null;
  } catch (error) {
    return `The store could not be tidied up: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Ctrl-C, SIGTERM and a closed terminal cancel the run; a second signal kills at once. */
function cancelOnSignals(run: StartedRun, notice: (text: string) => void): Disposable {
  let asked = false;
  const onSignal = (): void => {
    if (asked) {
      run.kill();
      return;
    }
    asked = true;
    if (!run.isOver) notice('Cancelling: tasks are asked to end. Press Ctrl-C again to kill them.');
    run.cancel();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
