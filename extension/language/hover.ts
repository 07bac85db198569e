/** What a hover says about a node: what it is, how it did, and its neighbours. */
import { formatPath, type NodeRunStatus } from '../../runner/model.ts';
import type { MergedNode } from '../analysis/merge-graphs.ts';
import type { LanguageProject } from './language-project.ts';
import type { NodeOutcome } from './protocol.ts';

const mostNodes = 5;
const mostCommands = 8;

const signs: Readonly<Record<NodeRunStatus, string>> = {
  running: '▶ running',
  succeeded: '✓ succeeded',
  failed: '✗ failed',
  skipped: '○ skipped',
  cancelled: '■ cancelled',
  unchanged: '= unchanged',
  lost: '? lost',
};

/** Markdown about some nodes. */
export function hoverText(
  project: LanguageProject,
  paths: readonly (readonly string[])[],
): string | undefined {
  const texts = paths.slice(0, mostNodes).flatMap(path => {
    const found = findNode(project.merged, path);
    return found === undefined ? [] : [nodeText(found.node, found.siblings, project.outcomeOf(path))];
  });
  if (texts.length === 0) return undefined;
  const more = paths.length - mostNodes;
  if (more > 0) texts.push(`… and ${more} more nodes that this text names.`);
  return texts.join('\n\n---\n\n');
}

interface Found {
  readonly node: MergedNode;
  readonly siblings: readonly MergedNode[];
}

function findNode(root: MergedNode, path: readonly string[]): Found | undefined {
  let found: Found | undefined;
  let at = root;
  for (const id of path) {
    const node = at.nodes.find(child => child.id === id);
    if (node === undefined) return undefined;
    found = { node, siblings: at.nodes };
    at = node;
  }
  return found;
}

function nodeText(
  node: MergedNode,
  siblings: readonly MergedNode[],
  outcome: NodeOutcome | undefined,
): string {
  const lines = [`**${escape(formatPath(node.path).replaceAll('/', ' / '))}** — ${kindOf(node)}`];
  if (node.description !== '') lines.push(escape(node.description));
  if (node.reason !== undefined) lines.push(`_${escape(node.reason)}_`);
  const facts: string[] = [];
  const labels = Object.entries(node.labels).map(([name, value]) => `${escape(name)}: ${escape(value)}`);
  if (labels.length > 0) facts.push(`Labels: ${labels.join(', ')}`);
  const figures = outcome === undefined ? [] : figuresOf(outcome);
  if (figures.length > 0) facts.push(figures.join(' · '));
  if (node.upstreams.length > 0) facts.push(`Waits for: ${list(node.upstreams)}`);
  const downstreams = siblings.filter(({ upstreams }) => upstreams.includes(node.id)).map(({ id }) => id);
  if (downstreams.length > 0) facts.push(`Is waited for by: ${list(downstreams)}`);
  if (node.kind === 'pipeline')
    facts.push(`${node.nodes.length} ${node.nodes.length === 1 ? 'node' : 'nodes'}`);
  for (const { option, reason } of node.unknown ?? [])
    facts.push(`${option}: known only after loading (${escape(reason)})`);
  if (facts.length > 0) lines.push(facts.map(fact => `- ${fact}`).join('\n'));
  const commands = node.commands ?? [];
  if (commands.length > 0) {
    const shown = commands.slice(0, mostCommands).map(({ kind, summary }, index) => {
      const [first = ''] = (summary ?? '').split('\n');
      return `${index + 1}. ${escape(kind)}${first === '' ? '' : ` ${code(first)}`}`;
    });
    if (commands.length > mostCommands) shown.push(`\n… ${commands.length - mostCommands} more`);
    lines.push(shown.join('\n'));
  }
  return lines.join('\n\n');
}

function kindOf({ kind, occurrence }: MergedNode): string {
  switch (kind) {
    case 'pipeline':
      return 'pipeline';
    case 'task':
      return 'task';
    case 'parallel':
      return 'parallel task';
    case 'dynamic':
      return occurrence === 'repeated' ? 'known only after loading' : 'may not be there';
  }
}

function figuresOf({ status, endedAt, duration, averageDuration, cost }: NodeOutcome): string[] {
  const figures: string[] = [];
  if (status !== null) {
    const took = duration === null ? '' : ` in ${seconds(duration)}`;
    const when = endedAt === null ? '' : `, ${endedAt.slice(0, 16).replace('T', ' ')} UTC`;
    figures.push(`Last run: ${signs[status]}${took}${when}`);
  }
  if (averageDuration !== null) figures.push(`average ${seconds(averageDuration)}`);
  if (cost !== null) figures.push(`cost ${seconds(cost)}`);
  return figures;
}

/** A duration as people say it. */
export function seconds(value: number): string {
  if (value < 10) return `${Math.round(value * 10) / 10} s`;
  if (value < 120) return `${Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function list(ids: readonly string[]): string {
  const shown = ids.slice(0, 12).map(code);
  return ids.length > 12 ? `${shown.join(', ')} … ${ids.length - 12} more` : shown.join(', ');
}

function escape(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|~]/g, sign => `\\${sign}`).replace(/\s+/g, ' ');
}

/** Inline code, whatever the text holds. */
function code(text: string): string {
  const short = text.length > 100 ? `${text.slice(0, 99)}…` : text;
  const fence = '`'.repeat(Math.max(0, ...[...short.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const pad = /^`|`$/.test(short) ? ' ' : '';
  return `${fence}${pad}${short}${pad}${fence}`;
}
