/** The static graph, completed by the one that the runner has loaded. */
import { formatPath, type NodeGraph } from '../../runner/model.ts';
import type { StaticNodeGraph } from './analysis.ts';

/** A node of both, or of one of them. */
export interface MergedNode extends StaticNodeGraph {
  readonly nodes: readonly MergedNode[];
  /** Where what is said of the node comes from. */
  readonly origin: 'static' | 'loaded';
}

export interface MergedGraph {
  readonly root: MergedNode;
  /** Where both knew and did not agree: a bug of the analysis, or the result of code that the two have not run alike. */
  readonly differences: readonly string[];
}

export interface MergeOptions {
  /** The loaded graph is not all, because files could not be loaded. */
  readonly isIncomplete?: boolean;
  /** Top-level pipelines for which the loaded graph does not count, because their source has changed since. */
  readonly isStale?: (pipeline: string) => boolean;
  /** Top-level pipelines of which the analysis says itself that they may be otherwise. */
  readonly isUncertain?: (pipeline: string) => boolean;
}

/**
 * Puts the loaded graph where the analysis has placeholders and unknown parts. Where both know something and differ,
 * the loaded graph wins and the difference is told. Places in the source are those of the analysis.
 */
export function mergeGraphs(
  known: StaticNodeGraph,
  loaded: NodeGraph | undefined,
  options: MergeOptions = {},
): MergedGraph {
  if (loaded === undefined) {
    return { root: { ...known, nodes: known.nodes.map(topOnlyStatic), origin: 'static' }, differences: [] };
  }
  const { isIncomplete = false, isStale = () => false, isUncertain = () => false } = options;
  const differences: string[] = [];
  const loadedById = new Map(loaded.nodes.map(node => [node.id, node]));
  const nodes: MergedNode[] = [];
  const placed = new Set<string>();
  for (const node of known.nodes) {
    const partner = loadedById.get(node.id);
    placed.add(node.id);
    if (isStale(node.id)) nodes.push(topOnlyStatic(node));
    else if (partner !== undefined) {
      const own: string[] = [];
      nodes.push(merge(node, partner, own));
      if (!isUncertain(node.id)) differences.push(...own);
    } else if (isIncomplete) {
      nodes.push(topOnlyStatic(node));
    } else if (node.kind !== 'dynamic') {
      if (!isUncertain(node.id)) differences.push(`"${formatPath(node.path)}" is not in the loaded graph`);
    }
  }
  const hasPlaceholder = known.nodes.some(node => node.kind === 'dynamic' && !isStale(node.id));
  for (const node of loaded.nodes) {
    if (placed.has(node.id)) continue;
    // Without a placeholder it is a pipeline whose source is gone, or has got another id, since it was loaded.
    if (hasPlaceholder) nodes.push(onlyLoaded(node));
  }
  return { root: { ...known, nodes, origin: 'static' }, differences };
}

/** The top-level pipelines that nothing was merged with: as long as the analysis of one is the same, so is this. */
const unmerged = new WeakMap<StaticNodeGraph, MergedNode>();

function topOnlyStatic(node: StaticNodeGraph): MergedNode {
  let known = unmerged.get(node);
  if (known === undefined) unmerged.set(node, (known = onlyStatic(node)));
  return known;
}

function onlyStatic(node: StaticNodeGraph): MergedNode {
  return { ...node, nodes: node.nodes.map(onlyStatic), origin: 'static' };
}

function onlyLoaded(node: NodeGraph): MergedNode {
  return { ...node, nodes: node.nodes.map(onlyLoaded), edges: [], origin: 'loaded' };
}

function merge(known: StaticNodeGraph, loaded: NodeGraph, differences: string[]): MergedNode {
  const wasDynamic = known.kind === 'dynamic';
  const unknown = new Set(known.unknown?.map(({ option }) => option));
  const path = formatPath(loaded.path);
  const differ = (what: string, a: unknown, b: unknown): void => {
    if (wasDynamic || unknown.has(what) || JSON.stringify(a) === JSON.stringify(b)) return;
    differences.push(`"${path}": ${what} is ${shown(b)}, not ${shown(a)}`);
  };
  differ('kind', known.kind, loaded.kind);
  for (const option of [
    'description',
    'labels',
    'maxParallelTasks',
    'maxRetries',
    'timeout',
    'onFailure',
    'params',
  ] as const) {
    differ(option, known[option], loaded[option]);
  }
  const hasUnknownUpstream = known.upstreams.some(id => id.includes('…'));
  if (!hasUnknownUpstream) differ('upstreams', known.upstreams, loaded.upstreams);
  const { addedAt, edges, location = loaded.location } = known;
  return {
    ...loaded,
    nodes: mergeChildren(known, loaded, wasDynamic, differences),
    commands: mergeCommands(known, loaded, wasDynamic || unknown.has('commands'), path, differences),
    edges: edges.filter(({ upstream }) => loaded.upstreams.includes(upstream)),
    ...(location === undefined ? {} : { location }),
    ...(addedAt === undefined ? {} : { addedAt }),
    origin: wasDynamic ? 'loaded' : 'static',
  };
}

function mergeChildren(
  known: StaticNodeGraph,
  loaded: NodeGraph,
  isUncertain: boolean,
  differences: string[],
): MergedNode[] {
  const byId = new Map(known.nodes.map(node => [node.id, node]));
  const hasPlaceholder = isUncertain || known.nodes.some(({ kind }) => kind === 'dynamic');
  const ids = new Set(loaded.nodes.map(({ id }) => id));
  for (const { id, kind, path } of known.nodes) {
    if (kind !== 'dynamic' && !ids.has(id) && !isUncertain)
      differences.push(`"${formatPath(path)}" is not in the loaded graph`);
  }
  return loaded.nodes.map(node => {
    const own = byId.get(node.id);
    if (own !== undefined) return merge(own, node, differences);
    if (!hasPlaceholder) differences.push(`"${formatPath(node.path)}" is only in the loaded graph`);
    return onlyLoaded(node);
  });
}

function mergeCommands(
  known: StaticNodeGraph,
  loaded: NodeGraph,
  isUnknown: boolean,
  path: string,
  differences: string[],
): NodeGraph['commands'] {
  const { commands } = loaded;
  if (commands === null || known.commands === null) {
    if (!isUnknown && commands !== known.commands)
      differences.push(`"${path}": only one of the two graphs knows the commands`);
    return commands;
  }
  if (known.commands.length !== commands.length) {
    if (!isUnknown)
      differences.push(`"${path}": there are ${commands.length} commands, not ${known.commands.length}`);
    return commands;
  }
  return commands.map((command, index) => {
    const own = known.commands?.[index];
    if (own === undefined) return command;
    const isKnown = !isUnknown && own.reason === undefined && own.kind !== 'dynamic';
    // What the runner shows is masked; the analysis knows no secrets, only what stands in the code.
    if (isKnown && own.kind !== command.kind)
      differences.push(`"${path}": command ${index + 1} is ${shown(command.kind)}, not ${shown(own.kind)}`);
    return own.location === undefined ? command : { ...command, location: own.location };
  });
}

function shown(value: unknown): string {
  const text = value === undefined ? 'not given' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
