/** `millrace logs`: stored output, also of a run that is going on anywhere. */
import { didYouMean } from '../api/errors.ts';
import { UsageError } from '../engine/errors.ts';
import type { Output } from '../events.ts';
import { formatPath, isAtOrBelow, parsePath, type NodeGraph, type NodePath } from '../model.ts';
import type { RunDetails } from '../store/history.ts';
import type { OutputLine } from '../store/output-history.ts';
import { exitCodes } from './exit-codes.ts';
import { openHistoryOfProject, projectDirectory } from './open-project.ts';
import { formatOutput } from './run-printer.ts';
import { findRun } from './show-command.ts';
import { say, type Terminal } from './terminal.ts';
import { TextWriter } from './text-writer.ts';

export interface LogsCommandOptions {
  readonly follow?: true;
  readonly errors?: true;
  readonly json?: true;
}

export async function logsCommand(
  terminal: Terminal,
  runId: number,
  path: string | undefined,
  options: LogsCommandOptions,
): Promise<number> {
  await using store = await openHistoryOfProject(terminal, projectDirectory(terminal));
  const run = await findRun(store, runId);
  const wanted = parsePath(path ?? '');
  checkPath(run, wanted);
  const filter = { path: wanted, errorsOnly: options.errors === true };
  const writer = new TextWriter(terminal.stdout);
  const { style } = terminal;
  const print = (line: OutputLine): Promise<void> | undefined => {
    const event = toEvent(line, runId);
    writer.write(
      options.json === true
        ? `${JSON.stringify(event)}\n`
        : formatOutput(event, style, terminal.stdout.isTTY),
    );
    return writer.drained;
  };

  if (options.follow === true && run.status === 'running') {
    const { followRun } = await import('../store/follow.ts');
    for await (const followed of followRun(store, runId, filter)) {
      if (followed.type === 'line') await print(followed.line);
      if (followed.type === 'end') say(terminal, `Run ${String(runId)} ${endOf(followed.status)}.`);
      if (writer.isClosed) break;
    }
  } else {
    const { outputInOrder } = await import('../store/output-history.ts');
    for await (const line of outputInOrder(store, runId, filter)) {
      await print(line);
      if (writer.isClosed) break;
    }
    if (run.status === 'running') say(terminal, `Run ${String(runId)} is going on; see more with --follow.`);
  }
  await writer.flush();
  return exitCodes.success;
}

function endOf(status: Exclude<RunDetails['status'], 'running'>): string {
  switch (status) {
    case 'succeeded':
    case 'failed':
      return status;
    case 'cancelled':
      return 'was cancelled';
    case 'lost':
      return 'is lost: its runner died';
  }
}

/** The same as `millrace run --json` prints. */
function toEvent(line: OutputLine, runId: number): Output {
  return {
    type: 'output',
    runId,
    nodePath: line.nodePath,
    attempt: line.attempt,
    time: line.at.toISOString(),
    seq: line.seq,
    message: line.message,
    format: line.format,
    isError: line.isError,
  };
}

/**
 * What has not begun yet is found in the graph of the run, except for children of parallel tasks that are still to come.
 *
 * @throws {UsageError} when the run has no such node.
 */
function checkPath(run: RunDetails, wanted: NodePath): void {
  if (wanted.length === 0) return;
  const known = new Map<string, NodePath>();
  const add = (path: NodePath): void => {
    for (let length = 1; length <= path.length; length++) {
      const part = path.slice(0, length);
      known.set(formatPath(part), part);
    }
  };
  const growing: NodePath[] = [];
  const visit = (node: NodeGraph): void => {
    add(node.path);
    if (node.kind === 'parallel' && run.status === 'running') growing.push(node.path);
    node.nodes.forEach(visit);
  };
  if (run.graph !== null) visit(run.graph);
  for (const { nodePath } of run.nodeRuns) add(nodePath);
  const text = formatPath(wanted);
  if (known.has(text) || growing.some(path => isAtOrBelow(wanted, path))) return;
  const nearest = didYouMean(text, known.keys());
  const hint =
    nearest === undefined
      ? `"millrace show ${String(run.runId)}" lists what it has.`
      : `Did you mean "${nearest}"?`;
  throw new UsageError(`Run ${String(run.runId)} has no node "${text}". ${hint}`);
}
