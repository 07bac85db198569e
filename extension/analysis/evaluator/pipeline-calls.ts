/** The methods of pipelines and tasks, with arguments that may be unknown. */
import type { Command } from '../../../runner/api/command.ts';
import { isNode, isPipeline, type Node } from '../../../runner/api/node.ts';
import { Pipeline } from '../../../runner/api/pipeline.ts';
import { Task } from '../../../runner/api/task.ts';
import { quoteSource, type SyntaxNode, ts } from '../syntax.ts';
import { getProperty } from './access.ts';
import { callFunction } from './calls.ts';
import { type Answer, findUnknown, type HostApi } from './host-api.ts';
import { iterate } from './iteration.ts';
import type { Machine } from './machine.ts';
import { forgetEdge, noteEdge, type NodeInfos, noteUnknown } from './node-info.ts';
import { Coerced, type Context, Dyn, Uncertain } from './values.ts';

type Callable = (...args: never[]) => unknown;

/** The upstreams of a call, as far as they are known. */
interface Upstreams {
  readonly known: readonly unknown[];
  readonly unknown: Dyn | undefined;
}

export class PipelineCalls {
  readonly #host: HostApi;
  readonly #infos: NodeInfos;

  constructor(host: HostApi, infos: NodeInfos) {
    this.#host = host;
    this.#infos = infos;
  }

  call(
    machine: Machine,
    fn: Callable,
    target: Node,
    args: readonly unknown[],
    node: SyntaxNode,
  ): Answer | undefined {
    machine.modules.noteMutation(target);
    for (const arg of args) if (isNode(arg)) this.#infos.of(arg, machine.evaluating.at(-1)).isUsed = true;
    if (isPipeline(target)) {
      const { prototype } = Pipeline;
      switch (fn as unknown) {
        case prototype.add:
          this.#add(machine, target, args, node);
          return { value: target };
        case prototype.addAll:
          this.#addAll(machine, target, args, node);
          return { value: target };
        case prototype.addInitial:
        case prototype.addFinal:
          this.#addRole(machine, fn, target, args, node);
          return { value: target };
        case prototype.remove:
        case prototype.replace:
          this.#change(machine, fn, target, args, node);
          return { value: target };
        case prototype.addDependency:
        case prototype.removeDependency:
          this.#connect(machine, fn, target, args, node);
          return { value: target };
        case prototype.find:
          return this.#find(machine, target, args, node);
        default:
          return undefined;
      }
    }
    const isAddingCommands =
      (fn as unknown) === Task.prototype.addCommand ||
      (fn as unknown) === Task.prototype.addCommands ||
      fn.name === 'addCommandBefore' ||
      fn.name === 'addCommandAfter';
    if (!isAddingCommands) return undefined;
    this.#addCommands(machine, fn, target, args, node);
    return { value: target };
  }

  #add(machine: Machine, pipeline: Pipeline, args: readonly unknown[], node: SyntaxNode): void {
    const child = args[0] instanceof Dyn ? this.#host.placeholder(machine, args[0], node) : args[0];
    const upstreams = this.#upstreams(machine, pipeline, args[1], child);
    const given = args[1] === undefined || Array.isArray(args[1]) || args[1] instanceof Dyn;
    if (this.#isPresentAlready(machine, pipeline, child)) return;
    const isAdded = this.#run(
      machine,
      pipeline.add,
      pipeline,
      given ? [child, upstreams.known] : [child, args[1]],
      node,
      args,
    );
    if (!isAdded) {
      this.#recover(machine, pipeline, child, upstreams.known, node);
      return;
    }
    if (isNode(child)) this.#noteAdded(machine, pipeline, child, upstreams, args[1], node);
  }

  /** In a branch that may not be taken, another branch may have added a node of that id. */
  #isPresentAlready(machine: Machine, pipeline: Pipeline, child: unknown): boolean {
    const { context } = machine;
    if (context === undefined || !isNode(child)) return false;
    const namesake = pipeline.nodes.get(child.id);
    if (namesake === undefined) return false;
    this.#infos.of(namesake).context ??= context;
    return true;
  }

  /** Adds a node without what is wrong about the call, which has been reported. */
  #recover(
    machine: Machine,
    pipeline: Pipeline,
    child: unknown,
    upstreams: readonly unknown[],
    node: SyntaxNode,
  ): void {
    if (!isNode(child) || child.parent !== undefined || pipeline.nodes.has(child.id)) return;
    const valid = upstreams.filter(upstream => {
      const found = typeof upstream === 'string' ? pipeline.nodes.get(upstream) : upstream;
      return isNode(found) && found.parent === pipeline && found !== child && found !== pipeline.finalNode;
    });
    try {
      pipeline.add(child, valid as Node[]);
      this.#noteAdded(machine, pipeline, child, { known: valid, unknown: undefined }, undefined, node);
    } catch {
      // The mistake is another one: then the node stays out.
    }
  }

  #noteAdded(
    machine: Machine,
    pipeline: Pipeline,
    child: Node,
    upstreams: Upstreams,
    listValue: unknown,
    node: SyntaxNode,
  ): void {
    const info = this.#infos.of(child, machine.evaluating.at(-1));
    info.added = node;
    info.addedAfterFailure = machine.evaluating.at(-1)?.hasFailed === true;
    if (machine.context !== undefined && machine.isOutside(pipeline)) info.context = machine.context;
    info.upstreamsUnknown ??= upstreams.unknown;
    if (upstreams.known.length === 0) return;
    const list = ts.isCallExpression(node) ? node.arguments[1] : undefined;
    const elements = list !== undefined && ts.isArrayLiteralExpression(list) ? list.elements : undefined;
    const isPlain = elements?.every(element => !ts.isSpreadElement(element)) === true;
    for (const [index, upstream] of upstreams.known.entries()) {
      const found = typeof upstream === 'string' ? pipeline.nodes.get(upstream) : upstream;
      if (!isNode(found)) continue;
      const at = isPlain && Array.isArray(listValue) ? elements[index] : undefined;
      noteEdge(info, found.id, at ?? list ?? node);
      // What waits for something that may not be there could not be added without it.
      const context = this.#infos.of(found).context;
      if (context !== undefined) info.context ??= context;
    }
  }

  #upstreams(machine: Machine, pipeline: Pipeline, value: unknown, child: unknown): Upstreams {
    if (value === undefined) return { known: [], unknown: undefined };
    if (value instanceof Dyn) return { known: [], unknown: value };
    if (!Array.isArray(value)) return { known: [], unknown: undefined };
    let unknown = machine.opened(value);
    const known: unknown[] = [];
    for (const element of value as unknown[]) {
      if (element instanceof Dyn) unknown ??= element;
      else if (element instanceof Uncertain) unknown ??= element.context.dyn;
      else if (this.#mayBeUnknown(pipeline, element, child)) unknown ??= this.#infos.uncertainty(pipeline);
      else known.push(element);
    }
    return { known, unknown };
  }

  /** Whether an id may be that of a node of which the id is not known. */
  #mayBeUnknown(pipeline: Pipeline, upstream: unknown, child: unknown): boolean {
    if (typeof upstream !== 'string' || pipeline.nodes.has(upstream)) return false;
    if (isNode(child) && child.id === upstream) return false;
    if (this.#infos.ofPipeline(pipeline).open.length > 0) return true;
    return [...pipeline.nodes.values()].some(node => this.#infos.of(node).placeholder !== undefined);
  }

  #addAll(machine: Machine, pipeline: Pipeline, args: readonly unknown[], node: SyntaxNode): void {
    const [nodes, ...others] = args;
    const add: unknown = getProperty(machine, pipeline, 'add', node);
    const addOne = (child: unknown): void => {
      callFunction(machine, add, pipeline, [child, ...others], node);
    };
    try {
      for (const child of iterate(machine, nodes, node)) {
        if (child instanceof Uncertain) {
          machine.branch(child.context, () => {
            addOne(child.value);
          });
        } else {
          addOne(child);
        }
      }
    } catch (error) {
      if (!(error instanceof Coerced)) throw error;
      const context: Context = { kind: 'repeated', dyn: error.dyn };
      machine.branch(context, () => {
        addOne(error.dyn.derive());
      });
    }
  }

  #addRole(
    machine: Machine,
    fn: Callable,
    pipeline: Pipeline,
    args: readonly unknown[],
    node: SyntaxNode,
  ): void {
    const child = args[0] instanceof Dyn ? this.#host.placeholder(machine, args[0], node) : args[0];
    if (this.#isPresentAlready(machine, pipeline, child)) return;
    if (machine.context !== undefined && machine.isOutside(pipeline))
      this.#infos.ofPipeline(pipeline).edgesUnknown ??= machine.context.dyn;
    if (!this.#run(machine, fn, pipeline, [child], node, args)) {
      this.#recover(machine, pipeline, child, [], node);
      return;
    }
    if (isNode(child))
      this.#noteAdded(machine, pipeline, child, { known: [], unknown: undefined }, undefined, node);
  }

  #change(
    machine: Machine,
    fn: Callable,
    pipeline: Pipeline,
    args: readonly unknown[],
    node: SyntaxNode,
  ): void {
    const { context } = machine;
    const uncertain =
      args[0] instanceof Dyn
        ? args[0]
        : context !== undefined && machine.isOutside(pipeline)
          ? context.dyn
          : this.#missingButPossible(pipeline, args[0]);
    if (uncertain !== undefined) {
      const named = typeof args[0] === 'string' ? pipeline.nodes.get(args[0]) : args[0];
      const affected = isNode(named) ? [named] : [...pipeline.nodes.values()];
      for (const child of affected) this.#infos.of(child).context ??= { kind: 'conditional', dyn: uncertain };
      const info = this.#infos.ofPipeline(pipeline);
      info.edgesUnknown ??= uncertain;
      if (fn.name === 'replace') info.open.push(new Dyn(uncertain.reason, node));
      return;
    }
    const given = args[1] instanceof Dyn ? [args[0], this.#host.placeholder(machine, args[1], node)] : args;
    if (this.#infos.uncertainty(pipeline) !== undefined)
      this.#infos.ofPipeline(pipeline).edgesUnknown ??= this.#infos.uncertainty(pipeline);
    if (!this.#run(machine, fn, pipeline, given, node, args)) return;
    const by = given[1];
    if (fn.name === 'replace' && isNode(by)) {
      const info = this.#infos.of(by, machine.evaluating.at(-1));
      info.added = node;
      info.addedAfterFailure = machine.evaluating.at(-1)?.hasFailed === true;
    }
  }

  #missingButPossible(pipeline: Pipeline, id: unknown): Dyn | undefined {
    if (typeof id !== 'string' || pipeline.nodes.has(id)) return undefined;
    return this.#mayBeUnknown(pipeline, id, undefined) ? this.#infos.uncertainty(pipeline) : undefined;
  }

  #connect(
    machine: Machine,
    fn: Callable,
    pipeline: Pipeline,
    args: readonly unknown[],
    node: SyntaxNode,
  ): void {
    const { context } = machine;
    const uncertain =
      args.find(arg => arg instanceof Dyn) ??
      (context !== undefined && machine.isOutside(pipeline) ? context.dyn : undefined) ??
      this.#missingButPossible(pipeline, args[0]) ??
      this.#missingButPossible(pipeline, args[1]);
    if (uncertain instanceof Dyn) {
      this.#infos.ofPipeline(pipeline).edgesUnknown ??= uncertain;
      return;
    }
    if (!this.#run(machine, fn, pipeline, args, node, args)) return;
    const [up, down] = args.map(arg => (typeof arg === 'string' ? pipeline.nodes.get(arg) : arg));
    if (!isNode(up) || !isNode(down)) return;
    const info = this.#infos.of(down);
    if (fn.name === 'addDependency') noteEdge(info, up.id, node);
    else forgetEdge(info, up.id);
  }

  #find(machine: Machine, pipeline: Pipeline, args: readonly unknown[], node: SyntaxNode): Answer {
    const dyn = findUnknown(machine, args);
    if (dyn !== undefined) return { value: dyn.derive() };
    const found = this.#host.native(machine, pipeline.find, pipeline, args, node);
    const isSure = isNode(found)
      ? this.#infos.isCertain(found)
      : this.#infos.uncertainty(pipeline) === undefined;
    return {
      value: isSure
        ? found
        : (this.#infos.uncertainty(pipeline) ?? new Dyn(quoteSource(node), node)).derive(),
    };
  }

  #addCommands(
    machine: Machine,
    fn: Callable,
    target: Node,
    args: readonly unknown[],
    node: SyntaxNode,
  ): void {
    const { context } = machine;
    const info = this.#infos.of(target, machine.evaluating.at(-1));
    if (context !== undefined && machine.isOutside(target)) {
      noteUnknown(info, 'commands', context.dyn);
      return;
    }
    let given = args;
    if (fn.name === 'addCommands') {
      const commands: unknown[] = [];
      try {
        for (const item of iterate(machine, args[0], node)) {
          if (item instanceof Uncertain) throw new Coerced(item.context.dyn);
          commands.push(item);
        }
      } catch (error) {
        if (!(error instanceof Coerced)) throw error;
        noteUnknown(info, 'commands', error.dyn);
        return;
      }
      given = [commands.map(item => this.#orStandIn(machine, item, node))];
    } else {
      given = [this.#orStandIn(machine, args[0], node), ...args.slice(1)];
    }
    const dyn = findUnknown(machine, given.slice(1));
    if (dyn !== undefined) {
      noteUnknown(info, 'commands', dyn);
      return;
    }
    this.#run(machine, fn, target, given, node, args);
  }

  #orStandIn(machine: Machine, item: unknown, node: SyntaxNode): unknown {
    const command: Command | undefined =
      item instanceof Dyn ? this.#host.standIn(machine, item, node) : undefined;
    return command ?? item;
  }

  /** Calls the method itself; whether it succeeded. A mistake is reported. */
  #run(
    machine: Machine,
    fn: Callable,
    target: Node,
    args: readonly unknown[],
    node: SyntaxNode,
    given: readonly unknown[],
  ): boolean {
    try {
      Reflect.apply(fn, target, args);
      return true;
    } catch (error) {
      machine.mistake(error, node, { name: fn.name, thisValue: target, args: given });
      return false;
    }
  }
}
