/** The pipelines API as the evaluated program sees it: its own classes, which are told nothing that is not known. */
import { Command } from '../../../runner/api/command.ts';
import { constructorName } from '../../../runner/api/errors.ts';
import { isNode, isParallelTask, isPipeline, isTask, Node } from '../../../runner/api/node.ts';
import { Task } from '../../../runner/api/task.ts';
import type { SyntaxNode } from '../syntax.ts';
import { callUnknown } from './calls.ts';
import type { Machine } from './machine.ts';
import { setKnownEntries } from './natives.ts';
import { NodeInfos, noteUnknown } from './node-info.ts';
import { PipelineCalls } from './pipeline-calls.ts';
import { Coerced, Dyn, isSignal, Uncertain, UserThrow } from './values.ts';

type AnyConstructor = new (...args: unknown[]) => object;
type Callable = (...args: never[]) => unknown;

export interface Answer {
  readonly value: unknown;
}

const nodeOptions: Readonly<Record<string, readonly string[]>> = {
  Pipeline: ['id', 'description', 'labels', 'maxParallelTasks', 'basePath', 'onFailure', 'params'],
  Task: ['id', 'description', 'labels', 'commands', 'maxRetries', 'retryDelay', 'timeout'],
  ParallelTask: [
    'id',
    'description',
    'labels',
    'maxParallelTasks',
    'commandsBefore',
    'commandsAfter',
    'maxRetries',
  ],
};

/** What an API consists of. */
interface ApiParts {
  readonly own: ReadonlySet<object>;
  readonly functions: ReadonlySet<unknown>;
  readonly classes: ReadonlySet<unknown>;
}

const knownParts = new WeakMap<object, ApiParts>();

function partsOf(exports: Readonly<Record<string, unknown>>): ApiParts {
  let parts = knownParts.get(exports);
  if (parts === undefined) knownParts.set(exports, (parts = findParts(exports)));
  return parts;
}

function findParts(exports: Readonly<Record<string, unknown>>): ApiParts {
  const own = new Set<object>([exports]);
  const functions = new Set<unknown>();
  const classes = new Set<unknown>();
  for (const value of [...Object.values(exports), Node]) {
    if (typeof value !== 'function') continue;
    own.add(value);
    if (!/^class\b/.test(Function.prototype.toString.call(value))) {
      functions.add(value);
      continue;
    }
    for (
      let prototype: object | null = value.prototype as object;
      prototype !== null && prototype !== Object.prototype && prototype !== Error.prototype;
      prototype = Reflect.getPrototypeOf(prototype)
    ) {
      own.add(prototype);
      classes.add(prototype.constructor);
      own.add(prototype.constructor);
      for (const key of Reflect.ownKeys(prototype)) {
        const method: unknown = Reflect.getOwnPropertyDescriptor(prototype, key)?.value;
        if (typeof method === 'function' && key !== 'constructor') functions.add(method);
      }
    }
  }
  return { own, functions, classes };
}

export class HostApi {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly infos = new NodeInfos();
  /** The call of `super()` that is evaluated. */
  superNode: SyntaxNode | undefined;
  readonly #parts: ApiParts;
  readonly #pipelineCalls: PipelineCalls;
  #placeholders = 0;

  constructor(exports: Readonly<Record<string, unknown>>) {
    this.exports = exports;
    this.#parts = partsOf(exports);
    this.#pipelineCalls = new PipelineCalls(this, this.infos);
  }

  /** Whether an object is a part of the API itself, which no program may change. */
  isOwn(target: object): boolean {
    return this.#parts.own.has(target);
  }

  /** A node in the place of something unknown. Its id is made up. */
  placeholder(machine: Machine, dyn: Dyn, node: SyntaxNode | undefined): Node {
    const made = new Task({ id: this.madeUpId() });
    const info = this.infos.of(made, machine.evaluating.at(-1));
    info.placeholder = dyn;
    info.made = dyn.node ?? node;
    return machine.created(made);
  }

  madeUpId(): string {
    return `dynamic_${String(++this.#placeholders)}_`;
  }

  /** What reading a property of a node gives, where the node itself does not know it. */
  readNode(machine: Machine, target: Node, name: PropertyKey, node: SyntaxNode): Answer | undefined {
    const info = this.infos.nodes.get(target);
    if (typeof name !== 'string') return undefined;
    const unknown = info?.unknown.get(name);
    if (unknown !== undefined) return { value: unknown.derive() };
    const { placeholder } = info ?? {};
    switch (name) {
      case 'id':
      case 'path':
        return placeholder === undefined ? undefined : { value: placeholder.derive(placeholder.pattern) };
      case 'basePath':
      case 'location':
        return { value: new Dyn('the place from which the pipeline is loaded', node) };
      case 'upstreams':
      case 'downstreams':
      case 'initialNode':
      case 'finalNode': {
        const pipeline = isPipeline(target) && name.endsWith('Node') ? target : target.parent;
        const dyn = pipeline === undefined ? undefined : this.infos.uncertainty(pipeline);
        return dyn === undefined ? undefined : { value: dyn.derive() };
      }
      case 'nodes': {
        if (!isPipeline(target)) return undefined;
        const dyn = this.infos.uncertainty(target);
        if (dyn !== undefined) {
          machine.open(target.nodes, dyn);
          setKnownEntries(target.nodes, key => {
            const child = target.nodes.get(String(key));
            return child !== undefined && this.infos.isCertain(child);
          });
        }
        return undefined;
      }
      default:
        return undefined;
    }
  }

  /** Notes where an object was made. */
  noteMade(machine: Machine, made: object, node: SyntaxNode): void {
    if (isNode(made)) this.infos.of(made, machine.evaluating.at(-1)).made ??= node;
    else {
      const info = this.infos.commands.get(made as Command);
      if (info !== undefined) info.made ??= node;
    }
  }

  /** Something of the API is handed to code that is not evaluated. */
  escape(machine: Machine, node: Node, dyn: Dyn, at: SyntaxNode): void {
    const info = this.infos.of(node, machine.evaluating.at(-1));
    info.isUsed = true;
    const reason = new Dyn(dyn.reason, at);
    if (isPipeline(node)) {
      this.infos.ofPipeline(node).open.push(reason);
      this.infos.ofPipeline(node).edgesUnknown ??= reason;
    } else {
      noteUnknown(info, 'commands', reason);
    }
  }

  call(
    machine: Machine,
    fn: Callable,
    thisValue: unknown,
    args: readonly unknown[],
    node: SyntaxNode,
  ): Answer | undefined {
    if (this.#parts.classes.has(fn)) {
      const message = `Class constructor ${fn.name} cannot be invoked without 'new'`;
      return { value: machine.mistake(new TypeError(message), node) };
    }
    if (!this.#parts.functions.has(fn)) return undefined;
    if (isNode(thisValue)) {
      const answer = this.#pipelineCalls.call(machine, fn, thisValue, args, node);
      if (answer !== undefined) return answer;
    }
    if ((fn as unknown) === this.exports['defineConfig']) return { value: args[0] };
    if (fn.name === 'run' || fn.name === 'resolveCommands') {
      return { value: callUnknown(machine, new Dyn('what a command does', node), undefined, args, node) };
    }
    const dyn = findUnknown(machine, [thisValue, ...args]);
    if (dyn !== undefined) return { value: dyn.derive() };
    const value = this.native(machine, fn, thisValue, args, node);
    this.#noteGiven(machine, value, args, node);
    return { value };
  }

  /** Takes note of what a function of the API has made: where, and of what. */
  #noteGiven(machine: Machine, value: unknown, args: readonly unknown[], node: SyntaxNode): void {
    if (isNode(value)) {
      const info = this.infos.nodes.get(value);
      if (info !== undefined) return;
      machine.countNode(node);
      machine.created(value);
      const made = this.infos.of(value, machine.evaluating.at(-1));
      made.made = node;
      [made.options] = args;
      if (isPipeline(value)) {
        for (const child of value.nodes.values()) {
          this.#noteGiven(machine, child, [], node);
          this.infos.of(child).added ??= node;
        }
      } else {
        const commands = isTask(value)
          ? (value.commands ?? [])
          : isParallelTask(value)
            ? [...value.commandsBefore, ...value.commandsAfter]
            : [];
        for (const command of commands) this.#noteGiven(machine, command, [], node);
      }
    } else if (value instanceof Command && !this.infos.commands.has(value)) {
      const { kind } = value.spec() ?? { kind: constructorName(value) };
      this.infos.commands.set(machine.created(value), {
        made: node,
        kind,
        args,
        unknown: undefined,
        module: machine.evaluating.at(-1),
      });
    }
  }

  /** Calls a function of the API as it is. */
  native(
    machine: Machine,
    fn: Callable,
    thisValue: unknown,
    args: readonly unknown[],
    node: SyntaxNode,
  ): unknown {
    const wasStrict = machine.isStrict;
    machine.isStrict = true;
    try {
      return Reflect.apply(fn, thisValue, args) as unknown;
    } catch (error) {
      if (error instanceof Coerced) return error.dyn.derive();
      if (isSignal(error)) throw error;
      return machine.mistake(error, node, { name: fn.name, thisValue, args });
    } finally {
      machine.isStrict = wasStrict;
    }
  }

  construct(
    machine: Machine,
    fn: unknown,
    args: readonly unknown[],
    newTarget: unknown,
    node: SyntaxNode,
  ): Answer | undefined {
    if (!this.#parts.classes.has(fn)) return undefined;
    const base = fn as AnyConstructor;
    const target = newTarget as AnyConstructor;
    const prototype: unknown = base.prototype;
    const at = fn === newTarget ? node : (this.superNode ?? node);
    if (prototype instanceof Node || base === (Node as unknown)) {
      machine.countNode(node);
      return { value: this.#makeNode(machine, base, args, target, at) };
    }
    if (prototype instanceof Command || base === (Command as unknown)) {
      return { value: this.#makeCommand(machine, base, args, target, at) };
    }
    try {
      return { value: Reflect.construct(base, args, target) };
    } catch (error) {
      if (isSignal(error)) throw error;
      throw new UserThrow(error, node);
    }
  }

  #makeNode(
    machine: Machine,
    base: AnyConstructor,
    args: readonly unknown[],
    newTarget: AnyConstructor,
    node: SyntaxNode,
  ): unknown {
    const [options, ...others] = args;
    const { given, placeholder, unknown } = this.#knownOptions(machine, options, node);
    let made: Node;
    try {
      made = Reflect.construct(base, [given, ...others], newTarget) as Node;
    } catch (error) {
      if (isSignal(error)) throw error;
      machine.mistake(error, node, { name: base.name, thisValue: undefined, args });
      const repaired = this.#repaired(base, given, newTarget);
      if (repaired === undefined) return new Dyn('code with a mistake', node);
      ({ made } = repaired);
      if (repaired.isMadeUp)
        this.infos.of(made, machine.evaluating.at(-1)).placeholder = new Dyn('code with a mistake', node);
    }
    machine.created(made);
    const info = this.infos.of(made, machine.evaluating.at(-1));
    info.options = options;
    info.placeholder ??= placeholder;
    for (const [name, dyn] of unknown) noteUnknown(info, name, dyn);
    const [dyn = placeholder] = unknown.values();
    if (dyn !== undefined) noteMayFail(machine, dyn);
    return made;
  }

  /** The options of a node without those that are not known. */
  #knownOptions(
    machine: Machine,
    options: unknown,
    node: SyntaxNode,
  ): {
    readonly given: unknown;
    readonly placeholder: Dyn | undefined;
    readonly unknown: ReadonlyMap<string, Dyn>;
  } {
    const whole = options instanceof Dyn ? options : machine.opened(options);
    if (whole !== undefined) {
      return { given: { id: this.madeUpId() }, placeholder: whole.derive(), unknown: nothing };
    }
    if (typeof options !== 'object' || options === null) {
      return { given: options, placeholder: undefined, unknown: nothing };
    }
    let placeholder: Dyn | undefined;
    let unknown: Map<string, Dyn> | undefined;
    const given: Record<string, unknown> = {};
    for (const key in options) {
      const value: unknown = Reflect.get(options, key);
      const dyn = findUnknownIn(machine, value, 0);
      if (dyn === undefined) {
        given[key] = value;
      } else if (key === 'id') {
        placeholder = dyn;
        given[key] = this.madeUpId();
      } else if (Array.isArray(value) && key.startsWith('commands') && machine.opened(value) === undefined) {
        given[key] = (value as unknown[]).map(item =>
          item instanceof Dyn ? this.standIn(machine, item, node) : item,
        );
      } else {
        (unknown ??= new Map<string, Dyn>()).set(key, dyn);
      }
    }
    const isAsGiven = placeholder === undefined && unknown === undefined;
    return {
      given: isAsGiven && given['commands'] === Reflect.get(options, 'commands') ? options : given,
      placeholder,
      unknown: unknown ?? nothing,
    };
  }

  #repaired(
    base: AnyConstructor,
    given: unknown,
    newTarget: AnyConstructor,
  ): { readonly made: Node; readonly isMadeUp: boolean } | undefined {
    const options: Record<string, unknown> =
      typeof given === 'object' && given !== null ? { ...(given as Record<string, unknown>) } : {};
    const known = nodeOptions[base.name] ?? [];
    const filtered = Object.fromEntries(Object.entries(options).filter(([key]) => known.includes(key)));
    const attempts: readonly (readonly [Record<string, unknown>, boolean])[] = [
      [filtered, false],
      [{ id: options['id'] }, false],
      [{ ...filtered, id: this.madeUpId() }, true],
      [{ id: this.madeUpId() }, true],
    ];
    for (const [attempt, isMadeUp] of attempts) {
      try {
        return { made: Reflect.construct(base, [attempt], newTarget) as Node, isMadeUp };
      } catch {
        // The next attempt asks for less.
      }
    }
    return undefined;
  }

  /** A command of which only the class is known. */
  standIn(machine: Machine, dyn: Dyn, node: SyntaxNode, newTarget: AnyConstructor = StandIn): Command {
    const made = Reflect.construct(Command as unknown as AnyConstructor, [], newTarget) as Command;
    this.infos.commands.set(made, {
      made: dyn.node ?? node,
      kind: newTarget === StandIn ? 'dynamic' : newTarget.name,
      args: [],
      unknown: dyn,
      module: machine.evaluating.at(-1),
    });
    return machine.created(made);
  }

  #makeCommand(
    machine: Machine,
    base: AnyConstructor,
    args: readonly unknown[],
    newTarget: AnyConstructor,
    node: SyntaxNode,
  ): unknown {
    const remember = (made: Command, unknown: Dyn | undefined): Command => {
      this.infos.commands.set(made, {
        made: undefined,
        kind: newTarget.name,
        args: base === (Command as unknown) ? [] : args,
        unknown,
        module: machine.evaluating.at(-1),
      });
      return machine.created(made);
    };
    const makeBare = (): Command =>
      Reflect.construct(Command as unknown as AnyConstructor, [], newTarget) as Command;
    const dyn = findUnknown(machine, args);
    if (dyn !== undefined) {
      noteMayFail(machine, dyn);
      return remember(makeBare(), dyn);
    }
    try {
      return remember(Reflect.construct(base, args, newTarget) as Command, undefined);
    } catch (error) {
      if (isSignal(error)) throw error;
      const mistake = machine.mistake(error, node, { name: base.name, thisValue: undefined, args });
      return remember(makeBare(), mistake);
    }
  }
}

/** What is not known of options that are. */
const nothing: ReadonlyMap<string, Dyn> = new Map<string, Dyn>();

/** The API may refuse what is not known. */
function noteMayFail(machine: Machine, dyn: Dyn): void {
  const module = machine.evaluating.at(-1);
  if (module !== undefined) module.mayFail ??= dyn;
}

class StandIn extends Command {
  override shellCommand(): string {
    return '';
  }
}

/** Something unknown in values and what they hold. */
export function findUnknown(machine: Machine, values: readonly unknown[], depth = 0): Dyn | undefined {
  for (const value of values) {
    const found = findUnknownIn(machine, value, depth);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findUnknownIn(machine: Machine, value: unknown, depth: number): Dyn | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Dyn) return value;
  if (value instanceof Uncertain) return value.context.dyn;
  const opened = machine.opened(value);
  if (opened !== undefined || depth >= 5 || isNode(value)) return opened;
  if (Array.isArray(value)) return findUnknown(machine, value, depth + 1);
  if (Reflect.getPrototypeOf(value) !== Object.prototype) return undefined;
  return findUnknown(machine, Object.values(value), depth + 1);
}
