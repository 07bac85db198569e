/** `millrace show`. */
import { stripVTControlCharacters } from 'node:util';
import { textWidth } from '../databases/text-width.ts';
import { UsageError } from '../engine/errors.ts';
import { formatPath } from '../model.ts';
import type { NodeRun, RunDetails } from '../store/history.ts';
import type { Store } from '../store/store.ts';
import { exitCodes } from './exit-codes.ts';
import {
  type Column,
  colourOf,
  cutText,
  firstLine,
  formatCount,
  formatCounts,
  formatDuration,
  formatTable,
  formatTime,
  symbolOf,
} from './format.ts';
import { openHistoryOfProject, projectDirectory } from './open-project.ts';
import { nameOfRun } from './run-names.ts';
import { describeRun } from './runs-command.ts';
import type { Style } from './style.ts';
import type { Terminal } from './terminal.ts';

export async function showCommand(
  terminal: Terminal,
  runId: number,
  options: { readonly json?: true },
): Promise<number> {
  await using store = await openHistoryOfProject(terminal, projectDirectory(terminal));
  const run = await findRun(store, runId);
  if (options.json === true) terminal.stdout.write(`${JSON.stringify(describeDetails(run), null, 2)}\n`);
  else {
    const width = terminal.stdout.isTTY ? terminal.stdout.columns : Infinity;
    const lines = drawRun(run, { now: store.clock(), width, style: terminal.style });
    terminal.stdout.write(`${lines.join('\n')}\n`);
  }
  return exitCodes.success;
}

/** @throws {UsageError} when there is no such run. */
export async function findRun(store: Store, runId: number): Promise<RunDetails> {
  const { getRun, listRuns } = await import('../store/history.ts');
  const run = await getRun(store, runId);
  if (run !== null) return run;
  const [newest] = await listRuns(store, { limit: 1 });
  throw new UsageError(unknownRun(runId, newest?.runId));
}

export function unknownRun(runId: number, newest: number | undefined): string {
  const hint =
    newest === undefined
      ? 'Nothing has been run in it yet.'
      : `The newest is ${String(newest)}; see "millrace runs".`;
  return `There is no run ${String(runId)} in this project. ${hint}`;
}

export interface RunDrawing {
  /** Milliseconds since the epoch, by the store's clock. */
  readonly now: number;
  readonly width: number;
  readonly style: Style;
}

/** Columns of the terminal that reasons need to stand beside the nodes. */
const leastReason = 40;

export function drawRun(run: RunDetails, { now, width, style }: RunDrawing): string[] {
  const fact = (name: string, value: string | null): string[] =>
    value === null ? [] : [`${style('dim', name.padEnd(10))}${value}`];
  const params = Object.entries(run.params).map(([name, value]) => `${name}=${String(value)}`);
  const ended = run.endedAt?.getTime() ?? now;
  const title = `${symbolOf(run.status)} run ${String(run.runId)} ${run.status}`;
  const lines = [
    `${style([colourOf(run.status), 'bold'], title)}: ${nameOfRun(run)}`,
    ...fact(
      'started',
      `${formatTime(run.startedAt)} by ${run.startedBy} on ${run.host} (${run.trigger}, process ${String(run.pid)})`,
    ),
    ...fact('ended', run.endedAt === null ? null : formatTime(run.endedAt)),
    ...fact('duration', formatDuration((ended - run.startedAt.getTime()) / 1000)),
    ...fact('tasks', describeCounts(run)),
    ...fact('params', params.length === 0 ? null : params.join(' ')),
    ...fact('code', run.codeVersion),
    ...fact('resumes', run.resumedFrom === null ? null : `run ${String(run.resumedFrom)}`),
    ...fact(
      'cancel',
      run.cancelRequestedAt === null ? null : `asked for at ${formatTime(run.cancelRequestedAt)}`,
    ),
    ...fact('runner', `Millrace ${run.runnerVersion}`),
  ];
  if (run.nodeRuns.length === 0) return lines;
  const { nodeRuns } = run;
  const columns: readonly Column[] = [
    {
      title: 'node',
      style: (cell, row) => (nodeRuns[row]?.kind === 'pipeline' ? style('dim', cell) : cell),
    },
    { title: 'status', style: (cell, row) => style(colourOf(nodeRuns[row]?.status ?? 'lost'), cell) },
    { title: 'attempt', right: true },
    { title: 'duration', right: true },
    { title: 'rows', right: true },
    { title: 'exit', right: true },
  ];
  const cells = nodeRuns.map(nodeRun => [
    nodeRun.nodePath.length === 0 ? '(root)' : formatPath(nodeRun.nodePath),
    `${symbolOf(nodeRun.status)} ${nodeRun.status}`,
    String(nodeRun.attempt),
    describeDuration(nodeRun, now),
    nodeRun.rowsProcessed === null ? '' : formatCount(nodeRun.rowsProcessed),
    nodeRun.exitCode === null ? '' : String(nodeRun.exitCode),
  ]);
  const reasons = nodeRuns.map(({ error, reason }) =>
    [error, reason]
      .map(text => firstLine(text ?? ''))
      .filter(text => text !== '')
      .join('; '),
  );
  const styleReason = (text: string, row: number): string =>
    nodeRuns[row]?.status === 'failed' ? style('red', text) : text;
  const [head = '', ...rows] = formatTable(columns, cells, Infinity);
  const used = Math.max(...[head, ...rows].map(line => textWidth(stripVTControlCharacters(line))));
  if (used + leastReason <= width) {
    const why = { title: 'why', style: styleReason };
    const withReasons = cells.map((row, index) => [...row, reasons[index] ?? '']);
    return [...lines, '', ...formatTable([...columns, why], withReasons, width)];
  }
  // Where a column leaves no room for it, a reason has a line of its own.
  const below = (text: string, row: number): string[] =>
    text === '' ? [] : [`  ${styleReason(cutText(text, Math.max(1, width - 2)), row)}`];
  return [...lines, '', head, ...rows.flatMap((line, row) => [line, ...below(reasons[row] ?? '', row)])];
}

function describeCounts({ counts }: RunDetails): string {
  const { running, ...over } = counts;
  const rest = formatCounts(over);
  if (running === 0) return rest;
  return Object.values(over).every(count => count === 0)
    ? `${String(running)} running`
    : `${String(running)} running, ${rest}`;
}

function describeDuration({ startedAt, endedAt, status }: NodeRun, now: number): string {
  if (startedAt === null || (endedAt === null && status !== 'running')) return '';
  return formatDuration(((endedAt?.getTime() ?? now) - startedAt.getTime()) / 1000);
}

/** A run as `show --json` prints it; documented in docs/cli.md. */
function describeDetails(run: RunDetails): Record<string, unknown> {
  return {
    ...describeRun(run),
    counts: run.counts,
    nodeRuns: run.nodeRuns.map(nodeRun => ({
      nodeRunId: nodeRun.nodeRunId,
      path: nodeRun.nodePath,
      kind: nodeRun.kind,
      attempt: nodeRun.attempt,
      status: nodeRun.status,
      startedAt: nodeRun.startedAt,
      endedAt: nodeRun.endedAt,
      duration:
        nodeRun.startedAt === null || nodeRun.endedAt === null
          ? null
          : (nodeRun.endedAt.getTime() - nodeRun.startedAt.getTime()) / 1000,
      cost: nodeRun.cost,
      rowsProcessed: nodeRun.rowsProcessed,
      exitCode: nodeRun.exitCode,
      error: nodeRun.error,
      reason: nodeRun.reason,
    })),
    graph: run.graph,
  };
}
