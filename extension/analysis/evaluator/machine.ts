/** The state of an evaluation, and the rules for what is uncertain in it. */
import { PipelineError } from '../../../runner/api/errors.ts';
import type { SourceLocation } from '../../../runner/model.ts';
import { locationOf, type SourceFile, type SyntaxNode } from '../syntax.ts';
import type { HostApi } from './host-api.ts';
import type { EvaluatedModule, Modules } from './module.ts';
import { JobQueue } from './promises.ts';
import type { Binding, Scope } from './scope.ts';
import {
  Abandoned,
  type AbruptCompletion,
  type Completion,
  type Context,
  Dyn,
  OutOfBounds,
  UserThrow,
} from './values.ts';

/** Bounds of one evaluation. */
export interface Bounds {
  readonly steps: number;
  readonly depth: number;
  readonly nodes: number;
}

export const defaultBounds: Bounds = { steps: 1_500_000, depth: 250, nodes: 20_000 };

/** A file with more mistakes than anybody reads is not worth going on with. */
const maxMistakes = 100;

/** A mistake found while evaluating. */
export interface Mistake {
  readonly error: unknown;
  readonly node: SyntaxNode | undefined;
  /** The call or construction of the API that found it, with what it was given. */
  readonly call?: ApiCall | undefined;
  /** Where it is, if no node says so. */
  readonly range?: { readonly file: SourceFile; readonly start: number; readonly end: number };
  /** The file that cannot be loaded because of it. */
  readonly module: EvaluatedModule | undefined;
}

/** A call of the API as the program makes it. */
export interface ApiCall {
  readonly name: string;
  readonly thisValue: unknown;
  readonly args: readonly unknown[];
}

interface Change {
  readonly restore: () => void;
  readonly current: () => unknown;
  readonly set: (value: unknown) => void;
}

type Changes = Map<unknown, Map<PropertyKey | undefined, Change>>;

/** A branch that may have been taken: how it ended, and what it left changed. */
export interface Branch<T> {
  readonly result: T | undefined;
  readonly changes: Changes;
  readonly after: Map<Change, unknown>;
}

export class Machine {
  readonly bounds: Bounds;
  readonly host: HostApi;
  readonly modules: Modules;
  readonly mistakes: Mistake[] = [];
  /** Functions of the evaluated program have a try block around them. */
  tryDepth = 0;
  /** What may throw, since somebody looked last. */
  mayThrow: Dyn | undefined;
  /** The modules whose top level is being evaluated, innermost last. */
  readonly evaluating: EvaluatedModule[] = [];
  readonly contexts: Context[] = [];
  readonly signal: AbortSignal | undefined;
  readonly jobs = new JobQueue();
  /** Native code is asked for a result that must be known: a function that gives an unknown one breaks it off. */
  isStrict = false;
  /** The unknown result because of which a function last broke off native code. */
  coerced: Dyn | undefined;
  readonly #allowed = new WeakSet();
  readonly #changes: Changes[] = [];
  /** Objects of which it is not known what they hold. */
  readonly #opened = new WeakMap<object, Dyn>();
  #openedCount = 0;
  readonly #createdAt = new WeakMap<object, number>();
  #steps = 0;
  #depth = 0;
  #nodes = 0;

  constructor(host: HostApi, modules: Modules, bounds: Bounds, signal: AbortSignal | undefined) {
    this.host = host;
    this.modules = modules;
    this.bounds = bounds;
    this.signal = signal;
  }

  /** Counts work, so that no program goes on for ever. */
  step(node: SyntaxNode | undefined, count = 1): void {
    this.#steps += count;
    if (this.#steps > this.bounds.steps) {
      throw new OutOfBounds('it takes too many steps: probably a loop does not end', node);
    }
    if ((this.#steps & 0x3fff) === 0) this.signal?.throwIfAborted();
  }

  /** Each file has the whole budget. */
  resetSteps(): void {
    this.#steps = 0;
    this.#nodes = 0;
  }

  countNode(node: SyntaxNode | undefined): void {
    if (++this.#nodes > this.bounds.nodes) throw new OutOfBounds('it makes too many nodes', node);
  }

  /** Evaluates something one call deeper. */
  deeper<T>(node: SyntaxNode | undefined, action: () => T): T {
    if (this.#depth >= this.bounds.depth) {
      throw new OutOfBounds('calls are nested too deeply: probably a function calls itself for ever', node);
    }
    this.#depth++;
    try {
      return action();
    } finally {
      this.#depth--;
    }
  }

  /** Makes a native function one that the program may call. */
  allow(callable: object): void {
    this.#allowed.add(callable);
  }

  isAllowed(callable: object): boolean {
    return this.#allowed.has(callable);
  }

  /** What may have thrown since somebody looked last. */
  takeMayThrow(): Dyn | undefined {
    return this.mayThrow;
  }

  takeCoerced(): Dyn | undefined {
    const { coerced } = this;
    this.coerced = undefined;
    return coerced;
  }

  get isCertain(): boolean {
    return this.contexts.length === 0;
  }

  /** The innermost reason why what is evaluated now is not certain. */
  get context(): Context | undefined {
    return this.contexts.at(-1);
  }

  /**
   * A mistake of the evaluated program. A `try` of its own catches it. Otherwise it is reported and evaluation goes on,
   * so that the rest of a file that is being typed is still seen.
   */
  mistake(error: unknown, node: SyntaxNode | undefined, call?: ApiCall): Dyn {
    if (this.tryDepth > 0) throw new UserThrow(error, node);
    this.report(error, node, call);
    return new Dyn('code with a mistake', node);
  }

  report(error: unknown, node: SyntaxNode | undefined, call?: ApiCall): void {
    const module = this.evaluating.at(-1);
    if (!this.isCertain) {
      // Whether it happens depends on something unknown.
      if (module !== undefined) module.mayFail ??= this.context?.dyn;
      return;
    }
    if (module !== undefined) {
      module.hasFailed = true;
      if (++module.mistakeCount > maxMistakes) throw new OutOfBounds('it makes too many mistakes', node);
    }
    this.mistakes.push({ error, node, call, module });
  }

  /** Throws a mistake that leaves nothing to go on with. */
  throwError(error: unknown, node: SyntaxNode | undefined): never {
    if (this.tryDepth > 0) throw new UserThrow(error, node);
    this.report(error, node);
    throw new Abandoned();
  }

  /** An error of the API, made where the program stands. */
  pipelineError(message: string, node: SyntaxNode | undefined): PipelineError {
    return new PipelineError(message, node === undefined ? {} : { location: locationOf(node) });
  }

  locationOf(node: SyntaxNode | undefined): SourceLocation | undefined {
    return node === undefined ? undefined : locationOf(node);
  }

  // ---- What is uncertain -------------------------------------------------------------------------------------------

  /** Marks an object as holding more, less or other things than it seems to. */
  open(target: object, dyn: Dyn): void {
    if (!this.#opened.has(target)) this.#openedCount++;
    this.#opened.set(target, dyn);
  }

  opened(target: unknown): Dyn | undefined {
    if (this.#openedCount === 0 || typeof target !== 'object' || target === null) return undefined;
    return this.#opened.get(target);
  }

  get hasOpened(): boolean {
    return this.#openedCount > 0;
  }

  /** Notes that an object came into being, so that it is known to be certain within the present context. */
  created<T extends object>(object: T): T {
    if (this.contexts.length > 0) this.#createdAt.set(object, this.contexts.length);
    this.modules.noteCreated(this, object);
    return object;
  }

  /** Whether a change of an object is seen by code that is certain to run while the change is not. */
  isOutside(target: object): boolean {
    return this.contexts.length > 0 && (this.#createdAt.get(target) ?? 0) < this.contexts.length;
  }

  assignBinding(scope: Scope, binding: Binding, value: unknown): void {
    if (scope.contextDepth < this.contexts.length) {
      const old = binding.value;
      this.#remember(binding, undefined, {
        restore: () => {
          binding.value = old;
        },
        current: () => binding.value,
        set: merged => {
          this.assignBinding(scope, binding, merged);
        },
      });
    }
    binding.value = value;
    binding.isInitialized = true;
    scope.module.noteWrite(scope);
  }

  /** Remembers how a property was before a branch changes it. */
  rememberProperty(target: object, key: PropertyKey, set: (value: unknown) => void): void {
    if (!this.isOutside(target)) return;
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
    this.#remember(target, key, {
      restore: () => {
        if (descriptor === undefined) Reflect.deleteProperty(target, key);
        else Reflect.defineProperty(target, key, descriptor);
      },
      current: () => Reflect.get(target, key) as unknown,
      set,
    });
  }

  #remember(target: unknown, key: PropertyKey | undefined, change: Change): void {
    const changes = this.#changes.at(-1);
    if (changes === undefined) return;
    let byKey = changes.get(target);
    if (byKey === undefined) changes.set(target, (byKey = new Map<PropertyKey | undefined, Change>()));
    if (!byKey.has(key)) byKey.set(key, change);
  }

  /** Evaluates what may not happen, or happen more than once; variables are afterwards as they were. */
  branch<T>(context: Context, action: () => T): Branch<T> {
    const changes: Changes = new Map();
    this.contexts.push(context);
    this.#changes.push(changes);
    let result: T | undefined;
    try {
      result = action();
    } catch (error) {
      if (!(error instanceof UserThrow) && !(error instanceof Abandoned)) throw error;
      if (this.tryDepth > 0) {
        throw new OutOfBounds(
          `whether an error is thrown here depends on ${context.dyn.reason}`,
          context.dyn.node,
        );
      }
      const module = this.evaluating.at(-1);
      if (module !== undefined) module.mayFail ??= context.dyn;
    } finally {
      this.contexts.pop();
      this.#changes.pop();
    }
    const after = new Map<Change, unknown>();
    for (const byKey of changes.values()) {
      for (const change of byKey.values()) after.set(change, change.current());
      for (const change of byKey.values()) change.restore();
    }
    return { result, changes, after };
  }

  /** Puts together what branches have changed, one of which was taken. */
  merge(branches: readonly Branch<unknown>[], dyn: Dyn, isExhaustive: boolean): void {
    const targets = new Map<unknown, Map<PropertyKey | undefined, unknown[]>>();
    const changeOf = new Map<unknown[], Change>();
    for (const { changes, after } of branches) {
      for (const [target, byKey] of changes) {
        let values = targets.get(target);
        if (values === undefined)
          targets.set(target, (values = new Map<PropertyKey | undefined, unknown[]>()));
        for (const [key, change] of byKey) {
          let list = values.get(key);
          if (list === undefined) values.set(key, (list = []));
          list.push(after.get(change));
          changeOf.set(list, change);
        }
      }
    }
    for (const values of targets.values()) {
      for (const list of values.values()) {
        const change = changeOf.get(list);
        if (change === undefined) continue;
        const all = isExhaustive && list.length === branches.length ? list : [...list, change.current()];
        change.set(mergeValues(all, dyn));
      }
    }
  }

  /** Evaluates statements that may not happen; tells how they end. */
  maybe(context: Context, action: () => Completion): Completion {
    const branch = this.branch(context, action);
    this.merge([branch], context.dyn, false);
    return branch.result;
  }
}

/** A value that is one of several: known if all are the same. */
export function mergeValues(values: readonly unknown[], dyn: Dyn): unknown {
  const [first, ...others] = values;
  if (others.every(other => Object.is(other, first))) return first;
  return values.find(value => value instanceof Dyn) ?? dyn.derive();
}

/** A completion that happens only if something unknown is so. */
export function asMaybe(completion: Completion, dyn: Dyn): Completion {
  if (completion === undefined || completion.type === 'maybe') return completion;
  return { type: 'maybe', of: completion, dyn };
}

/** How evaluation ends when it may end in a way at first, and if not goes on to end in another one. */
export function sequence(first: AbruptCompletion, dyn: Dyn, then: Completion): Completion {
  if (then === undefined) return { type: 'maybe', of: first, dyn };
  const second = then.type === 'maybe' ? then.of : then;
  const of: AbruptCompletion =
    first.type === 'return' || second.type === 'return'
      ? {
          type: 'return',
          value: mergeValues(
            [first, second].map(end => (end.type === 'return' ? end.value : dyn)),
            dyn,
          ),
        }
      : first;
  return then.type === 'maybe' ? { type: 'maybe', of, dyn } : of;
}
