/** `millrace runs`. */
import { findNode } from '../engine/plan.ts';
import { parsePath, type RunStatus } from '../model.ts';
import type { RunSummary } from '../store/history.ts';
import { exitCodes } from './exit-codes.ts';
import {
  colourOf,
  firstLine,
  formatDuration,
  formatTable,
  formatTime,
  nameOfPath,
  symbolOf,
} from './format.ts';
import { openHistoryOfProject, openProject, projectDirectory } from './open-project.ts';
import { nameOfRun } from './run-names.ts';
import { say, type Terminal } from './terminal.ts';

export interface RunsCommandOptions {
  readonly status?: RunStatus;
  readonly limit: number;
  readonly json?: true;
}

export async function runsCommand(
  terminal: Terminal,
  path: string | undefined,
  options: RunsCommandOptions,
): Promise<number> {
  const directory = projectDirectory(terminal);
  await using store = await openHistoryOfProject(terminal, directory);
  const { listRuns } = await import('../store/history.ts');
  const runs = await listRuns(store, {
    limit: options.limit,
    ...(path !== undefined && { path: parsePath(path) }),
    ...(options.status !== undefined && { status: options.status }),
  });
  if (options.json === true) {
    terminal.stdout.write(
      `${JSON.stringify(
        runs.map(run => describeRun(run)),
        null,
        2,
      )}\n`,
    );
    return exitCodes.success;
  }
  if (runs.length === 0 && path !== undefined) {
    // A node that neither has a history nor exists is a slip of the pen.
    const project = await openProject(terminal, directory);
    findNode(project.root, parsePath(path));
  }
  if (runs.length === 0) {
    say(terminal, 'No run is recorded that fits.');
    return exitCodes.success;
  }
  const { style } = terminal;
  const now = store.clock();
  const lines = formatTable(
    [
      { title: 'run', right: true },
      { title: 'status', style: (cell, row) => style(colourOf(runs[row]?.status ?? 'lost'), cell) },
      { title: 'started' },
      { title: 'duration', right: true },
      { title: 'by' },
      { title: 'what', style: (cell, row) => (runs[row]?.failure == null ? cell : style('red', cell)) },
    ],
    runs.map(run => [
      String(run.runId),
      `${symbolOf(run.status)} ${run.status}`,
      formatTime(run.startedAt),
      formatDuration(((run.endedAt?.getTime() ?? now) - run.startedAt.getTime()) / 1000),
      run.trigger === 'cli' ? run.startedBy : `${run.startedBy} (${run.trigger})`,
      nameOfRun(run) + describeFailure(run),
    ]),
    terminal.stdout.isTTY ? terminal.stdout.columns : Infinity,
  );
  terminal.stdout.write(`${lines.join('\n')}\n`);
  return exitCodes.success;
}

function describeFailure({ failure }: RunSummary): string {
  if (failure === null) return '';
  return ` — ${nameOfPath(failure.nodePath)}: ${firstLine(failure.error)}`;
}

/** A run as `--json` prints it; documented in docs/cli.md. */
export function describeRun(run: RunSummary): Record<string, unknown> {
  return {
    runId: run.runId,
    status: run.status,
    pipelinePath: run.pipelinePath,
    nodePaths: run.nodePaths,
    withUpstreams: run.withUpstreams,
    params: run.params,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    duration: run.endedAt === null ? null : (run.endedAt.getTime() - run.startedAt.getTime()) / 1000,
    trigger: run.trigger,
    startedBy: run.startedBy,
    host: run.host,
    pid: run.pid,
    codeVersion: run.codeVersion,
    runnerVersion: run.runnerVersion,
    resumedFrom: run.resumedFrom,
    cancelRequestedAt: run.cancelRequestedAt,
    failure: run.failure,
  };
}
