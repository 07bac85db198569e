/** What a row of the Pipelines view shows: pure, so that the tree can be read as text in tests. */
import { formatDuration } from '../../runner/format.ts';
import { formatPath } from '../../runner/model.ts';
import { excerptOfError } from '../diagnostics/failure-places.ts';
import { type Icon, statusIcon } from '../icons.ts';
import { t } from '../l10n.ts';
import type { IndexedNode } from '../project/pipeline-index.ts';
import { type NodeStatus, nodeStatus, type ProjectState, runOf } from '../project/project-state.ts';
import { describeStatus, firstLine, formatAge, kindWord, statusWord, withState } from '../wording.ts';

export interface Row {
  readonly label: string;
  readonly description: string;
  readonly icon: Icon;
  /** Markdown; what comes from the project is escaped. */
  readonly tooltip: string;
  /** Words for `when` clauses. */
  readonly context: string;
  readonly hasChildren: boolean;
  /** The description tells an age, or for how long something has been running. */
  readonly isOfTheMoment: boolean;
  /** What a screen reader says. */
  readonly accessibilityLabel: string;
}

export function nodeRow(state: ProjectState, indexed: IndexedNode, now: number): Row {
  const { node, path } = indexed;
  const status = nodeStatus(state, path);
  const description = node.kind === 'dynamic' ? firstLine(node.reason ?? '') : describeStatus(status, now);
  return {
    label: node.kind === 'dynamic' && node.id === '' ? '…' : node.id,
    description,
    icon: statusIcon(status, node.kind),
    // Asked for by whoever points at the row, not with every second that passes.
    get tooltip() {
      return tooltipOf(state, indexed, status, now);
    },
    context: contextOf(state, indexed, status),
    hasChildren: node.nodes.length > 0,
    isOfTheMoment: status.kind === 'running' || (status.kind === 'ended' && !status.isLive),
    // Nor is this: rows are compared much more often than they are drawn.
    get accessibilityLabel() {
      return [node.id, kindWord(node.kind), withState(stateWord(status), description)]
        .filter(part => part !== '')
        .join(', ');
    },
  };
}

function stateWord(status: NodeStatus): string {
  switch (status.kind) {
    case 'none':
      return '';
    case 'queued':
      return t('queued');
    case 'running':
      return statusWord('running');
    case 'ended':
      return statusWord(status.outcome);
  }
}

function contextOf(state: ProjectState, { node, path, parent }: IndexedNode, status: NodeStatus): string {
  if (node.kind === 'dynamic') return 'dynamic';
  const words = ['node', node.kind];
  const hasUpstreams = node.upstreams.length > 0 || (parent?.node.upstreams.length ?? 0) > 0;
  if (hasUpstreams) words.push('upstreams');
  const isRunning = runOf(state, path, status) !== undefined;
  if (isRunning) words.push('running');
  else if (status.kind === 'ended' && status.outcome === 'failed') words.push('refailed');
  if (status.kind === 'ended' || status.kind === 'running') words.push('ran');
  return words.join(' ');
}

function tooltipOf(
  state: ProjectState,
  { node, path }: IndexedNode,
  status: NodeStatus,
  now: number,
): string {
  const lines = [`**${escapeMarkdown(formatPath(path))}** · ${kindWord(node.kind)}`];
  if (node.description !== '') lines.push(escapeMarkdown(node.description));
  if (node.reason !== undefined) lines.push(escapeMarkdown(node.reason));
  const labels = Object.entries(node.labels).map(
    ([name, value]) => `${escapeMarkdown(name)}: ${escapeMarkdown(value)}`,
  );
  if (labels.length > 0) lines.push(labels.join(' · '));
  const figures = state.figures.get(formatPath(path));
  const numbers: string[] = [];
  if (figures !== undefined) {
    const { averageDuration, averageRunTime, cost } = figures;
    if (averageDuration !== null) numbers.push(t('average duration {0}', formatDuration(averageDuration)));
    if (averageRunTime !== null && node.kind !== 'task')
      numbers.push(t('average run time {0}', formatDuration(averageRunTime)));
    if (cost > 0) numbers.push(t('cost {0}', formatDuration(cost)));
  }
  if (numbers.length > 0) lines.push(numbers.join(' · '));
  if (status.kind === 'ended') {
    const when = status.at === null ? '' : `, ${formatAge(status.at, now)}`;
    lines.push(`${t('Last run')}: ${statusWord(status.outcome)}${when} (${t('run {0}', status.runId)})`);
    if (status.reason !== null) lines.push(escapeMarkdown(status.reason));
    if (status.error !== null) lines.push(codeBlock(status.error));
  } else if (status.kind === 'running') lines.push(t('Runs right now (run {0})', status.runId));
  const recent = figures?.recent ?? [];
  if (recent.length > 1) {
    const points = recent.map(({ status: outcome, duration }) =>
      outcome === 'succeeded' && duration !== null ? formatDuration(duration) : statusWord(outcome),
    );
    lines.push(`${t('Runs before')}: ${points.join(' → ')}`);
  }
  return lines.join('\n\n');
}

/** Text of a project as Markdown: it can neither format nor link anything. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~&$:@]/g, '\\$&').replace(/\s*\n\s*/g, ' ');
}

const longest = 12;

/** The first lines of an error; a fence that the text holds cannot end the block. */
function codeBlock(text: string): string {
  const shown = excerptOfError(text, longest);
  const fence = '`'.repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}text\n${shown}\n${fence}`;
}
