/** Evaluated nodes as graphs. */
import type { Command } from '../../runner/api/command.ts';
import { constructorName } from '../../runner/api/errors.ts';
import { upstreamIds } from '../../runner/api/graph.ts';
import { isParallelTask, isPipeline, isTask, type Node } from '../../runner/api/node.ts';
import type { Pipeline } from '../../runner/api/pipeline.ts';
import type { NodePath, SourceLocation } from '../../runner/model.ts';
import type { EdgeLocation, StaticCommandGraph, StaticNodeGraph, UnknownPart } from './analysis.ts';
import type { Machine } from './evaluator/machine.ts';
import type { NodeInfo } from './evaluator/node-info.ts';
import { Coerced, Dyn, isSignal, UserThrow } from './evaluator/values.ts';
import { staticParameters } from './parameters.ts';
import { type TaskSql, taskSql } from './sql/task-sql.ts';
import { locationOf } from './syntax.ts';

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

const noNodes: readonly StaticNodeGraph[] = [];
const noUpstreams: readonly string[] = [];
const noParts: readonly UnknownPart[] = [];
const noEdges: readonly EdgeLocation[] = [];

export class GraphMaker {
  readonly #machine: Machine;
  /** The tasks with SQL of all graphs that were made. */
  readonly tasks: TaskSql[] = [];

  readonly #mask: (text: string) => string;

  /** @param mask hides secrets in what commands show of themselves */
  constructor(machine: Machine, mask: (text: string) => string) {
    this.#machine = machine;
    this.#mask = mask;
  }

  /** The graph of a pipeline that no other one contains. */
  graphOf(node: Node): StaticNodeGraph {
    const id = this.#displayIds([node]).get(node) ?? node.id;
    return this.#graph(node, id, [id], [], []);
  }

  /** The graph of the pipeline that a project names as its root, which no path contains. */
  graphOfRoot(node: Node): StaticNodeGraph {
    return this.#graph(node, node.id, [], [], []);
  }

  #graph(
    node: Node,
    id: string,
    path: NodePath,
    upstreams: readonly string[],
    unknownUpstreams: readonly UnknownPart[],
  ): StaticNodeGraph {
    const info = this.#machine.host.infos.of(node);
    const unknown = this.#unknownParts(node, info, unknownUpstreams);
    const reason = reasonOf(info);
    const made = locate(info.made);
    const added = locate(info.added);
    // First, as loading does: functions in the options of commands may remember that they were called.
    const commands = this.#commands(node, info);
    const sql = isPipeline(node)
      ? undefined
      : taskSql(this.#machine.host.infos, node, path, value => this.#madeText(node, value));
    if (sql !== undefined) this.tasks.push(sql);
    const graph: Writable<StaticNodeGraph> = {
      id,
      path,
      kind: reason === undefined ? node.kind : 'dynamic',
      description: text(node.description, info.unknown.get('description')),
      labels: info.unknown.has('labels') ? {} : node.labels,
      upstreams,
      nodes: isPipeline(node) ? this.#children(node, path) : noNodes,
      commands,
      edges: edgesOf(info, upstreams),
    };
    if (made !== undefined) graph.location = made;
    if (added !== undefined) graph.addedAt = added;
    takeProperties(graph, node);
    if (unknown.length > 0) graph.unknown = unknown;
    if (reason !== undefined) graph.reason = reason;
    if (info.context !== undefined) graph.occurrence = info.context.kind;
    return graph;
  }

  #children(pipeline: Pipeline, path: NodePath): StaticNodeGraph[] {
    const { infos } = this.#machine.host;
    const children = [...pipeline.nodes.values()];
    const ids = this.#displayIds(children);
    const upstreams = upstreamIds(pipeline);
    const { open, edgesUnknown } = infos.ofPipeline(pipeline);
    const uncertainty = infos.uncertainty(pipeline);
    const graphs = children.map(child => {
      const waitsFor = upstreams.get(child) ?? noUpstreams;
      const nodes = waitsFor.map(id => pipeline.nodes.get(id)).filter(node => node !== undefined);
      const info = infos.of(child);
      // The initial node is waited for, and the final node waits, only where nothing else does.
      const { initialNode, finalNode } = pipeline;
      const isImplicit =
        child === finalNode || (initialNode !== undefined && nodes.every(node => node === initialNode));
      const dyn =
        info.upstreamsUnknown ??
        edgesUnknown ??
        open[0] ??
        (isImplicit ? uncertainty : undefined) ??
        nodes.map(node => infos.of(node).context?.dyn).find(found => found !== undefined);
      const unknown = dyn === undefined ? noParts : [unknownPart('upstreams', dyn)];
      const id = ids.get(child) ?? child.id;
      return this.#graph(
        child,
        id,
        [...path, id],
        nodes.length === 0 ? noUpstreams : nodes.map(node => ids.get(node) ?? node.id),
        unknown,
      );
    });
    if (open.length === 0) return graphs;
    const freeIds = new FreeIds(graphs.map(({ id }) => id));
    const reasons = new Map(open.map(dyn => [`${dyn.reason} ${String(dyn.node?.pos)}`, dyn]));
    for (const dyn of reasons.values()) {
      const id = freeIds.take('…');
      graphs.push(placeholder(id, path, `There may be further nodes: they depend on ${dyn.reason}.`, dyn));
    }
    return graphs;
  }

  /** What is known of the ids of nodes that have no known id. */
  #displayIds(nodes: readonly Node[]): Map<Node, string> {
    const { infos } = this.#machine.host;
    const ids = new Map<Node, string>();
    let freeIds: FreeIds | undefined;
    for (const node of nodes) {
      const dyn = infos.of(node).placeholder;
      if (dyn === undefined) continue;
      freeIds ??= new FreeIds(
        nodes.filter(other => infos.of(other).placeholder === undefined).map(({ id }) => id),
      );
      ids.set(node, freeIds.take(dyn.pattern.replaceAll('${…}', '…')));
    }
    return ids;
  }

  #unknownParts(
    node: Node,
    info: NodeInfo,
    unknownUpstreams: readonly UnknownPart[],
  ): readonly UnknownPart[] {
    let parts: UnknownPart[] | undefined;
    for (const [option, dyn] of info.unknown) (parts ??= []).push(unknownPart(option, dyn));
    for (const option of optionsOfNodes) {
      const value: unknown = Reflect.get(node, option);
      if (value instanceof Dyn) (parts ??= []).push(unknownPart(option, value));
    }
    return parts === undefined ? unknownUpstreams : [...unknownUpstreams, ...parts];
  }

  #commands(node: Node, info: NodeInfo): readonly StaticCommandGraph[] | null {
    if (isPipeline(node)) return [];
    if (!isTask(node) || info.unknown.has('commands')) return null;
    return node.commands?.map(command => this.#command(command)) ?? null;
  }

  #command(command: Command): StaticCommandGraph {
    const info = this.#machine.host.infos.commands.get(command);
    const location = locate(info?.made);
    const summary = info?.unknown ?? this.#summary(command);
    const graph: Writable<StaticCommandGraph> = { kind: info?.kind ?? constructorName(command) };
    if (summary instanceof Dyn) graph.reason = sentence('What it does', summary);
    else if (summary !== undefined) graph.summary = this.#mask(summary);
    if (location !== undefined) graph.location = location;
    return graph;
  }

  #summary(command: Command): string | undefined | Dyn {
    const machine = this.#machine;
    return this.#strictly(() => {
      try {
        const summary: unknown = command.shellCommand();
        if (summary instanceof Dyn) return summary;
        // A command may catch what a function that it is given throws.
        const unknown = machine.takeCoerced();
        if (unknown !== undefined) return unknown;
        // Without types, a command may give nothing.
        return summary === undefined ? undefined : ''.concat(summary as string);
      } catch (error) {
        const unknown = error instanceof Coerced ? error.dyn : machine.takeCoerced();
        if (unknown !== undefined) return unknown;
        if (isSignal(error) && !(error instanceof UserThrow))
          return new Dyn('code that is not evaluated', undefined);
        if (error instanceof Error) return error.message;
        return String(error);
      }
    });
  }

  /**
   * What a function makes of the parameters of a run, if their defaults tell it. What other functions give is left to
   * running.
   */
  #madeText(node: Node, fn: unknown): string | undefined {
    if (typeof fn !== 'function' || fn.length === 0) return undefined;
    const unset = (name: string): Dyn => new Dyn(`the parameter "${name}"`, undefined);
    const params = staticParameters(this.#machine, node, unset);
    return this.#strictly(() => {
      try {
        const made: unknown = Reflect.apply(fn, undefined, [{ params }]);
        return ['string', 'number', 'boolean'].includes(typeof made) ? String(made) : undefined;
      } catch {
        return undefined;
      }
    });
  }

  /** Calls native code, and functions of the program, whose result must be known; both may throw. */
  #strictly<T>(action: () => T): T {
    const machine = this.#machine;
    const wasStrict = machine.isStrict;
    machine.isStrict = true;
    machine.tryDepth++;
    machine.coerced = undefined;
    try {
      return action();
    } finally {
      machine.coerced = undefined;
      machine.tryDepth--;
      machine.isStrict = wasStrict;
    }
  }
}

const optionsOfNodes = [
  'description',
  'maxRetries',
  'timeout',
  'maxParallelTasks',
  'onFailure',
  'labels',
] as const;

/** A node for something of which nothing else is known. */
export function placeholder(
  id: string,
  parents: NodePath,
  reason: string,
  dyn: Dyn | undefined,
): StaticNodeGraph {
  const location = locate(dyn?.node);
  return {
    id,
    path: [...parents, id],
    kind: 'dynamic',
    description: '',
    labels: {},
    upstreams: [],
    nodes: [],
    commands: null,
    edges: [],
    ...(location === undefined ? {} : { location }),
    reason,
    occurrence: 'repeated',
  };
}

function reasonOf({ placeholder: dyn, context }: NodeInfo): string | undefined {
  if (context?.kind === 'repeated') return sentence('How many of these nodes there are', context.dyn);
  if (context !== undefined) return sentence('Whether there is this node', context.dyn);
  if (dyn === undefined) return undefined;
  return dyn.pattern === '${…}' ? sentence('What this node is', dyn) : sentence('The id', dyn);
}

export function sentence(what: string, { reason }: Dyn): string {
  return `${what} depends on ${reason}.`;
}

function text(value: unknown, dyn: Dyn | undefined): string {
  const unknown = dyn ?? value;
  if (unknown instanceof Dyn) return unknown.pattern.replaceAll('${…}', '…');
  return typeof value === 'string' ? value : '';
}

function unknownPart(option: string, dyn: Dyn): UnknownPart {
  const location = locate(dyn.node);
  return { option, reason: dyn.reason, ...(location === undefined ? {} : { location }) };
}

function edgesOf(info: NodeInfo, upstreams: readonly string[]): readonly EdgeLocation[] {
  if (info.edges.size === 0) return noEdges;
  return [...info.edges]
    .filter(([upstream]) => upstreams.includes(upstream))
    .map(([upstream, node]) => ({ upstream, location: locationOf(node) }));
}

/** Ids for things without a known one: the wanted one, or with a number. */
class FreeIds {
  readonly #taken: Set<string>;
  readonly #counts = new Map<string, number>();

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
  }

  take(wanted: string): string {
    let count = this.#counts.get(wanted) ?? 1;
    let id = wanted;
    while (this.#taken.has(id)) id = `${wanted} (${String(++count)})`;
    this.#counts.set(wanted, count);
    this.#taken.add(id);
    return id;
  }
}

function locate(node: Parameters<typeof locationOf>[0] | undefined): SourceLocation | undefined {
  return node === undefined ? undefined : locationOf(node);
}

/** Takes over the options of a node that are known and given. */
function takeProperties(graph: Writable<StaticNodeGraph>, node: Node): void {
  if (isPipeline(node)) {
    take(graph, 'maxParallelTasks', node.maxParallelTasks);
    take(graph, 'onFailure', node.onFailure);
    if (Object.keys(node.params).length > 0) graph.params = node.params;
  } else if (isTask(node)) {
    take(graph, 'maxRetries', node.maxRetries);
    take(graph, 'timeout', node.timeout);
  } else if (isParallelTask(node)) {
    take(graph, 'maxParallelTasks', node.maxParallelTasks);
    take(graph, 'maxRetries', node.maxRetries);
  }
}

function take<Name extends 'maxParallelTasks' | 'onFailure' | 'maxRetries' | 'timeout'>(
  graph: Writable<StaticNodeGraph>,
  name: Name,
  value: StaticNodeGraph[Name] | undefined,
): void {
  // The program may have given a value that is not known.
  if (value === undefined || (value as unknown) instanceof Dyn) return;
  Object.assign(graph, { [name]: value });
}
