/** Values of the evaluation that are not plain JavaScript: what cannot be known, and how evaluation ends early. */
import type { SyntaxNode } from '../syntax.ts';

/**
 * A value that only running can tell. It is handed on like any other value and never turned into text, a number or a
 * truth value: whoever tries that learns of it by {@link Coerced}.
 */
export class Dyn {
  /** The root cause as a noun phrase in the user's words: `the environment variable STAGE`. */
  readonly reason: string;
  /** Where the unknown comes from. */
  readonly node: SyntaxNode | undefined;
  /** What is known of a text: `load_${…}`. */
  readonly pattern: string;

  constructor(reason: string, node: SyntaxNode | undefined, pattern = '${…}') {
    this.reason = reason;
    this.node = node;
    this.pattern = pattern;
  }

  /** Another unknown value with the same cause. */
  derive(pattern = '${…}'): Dyn {
    return pattern === this.pattern ? this : new Dyn(this.reason, this.node, pattern);
  }

  [Symbol.toPrimitive](): never {
    throw new Coerced(this);
  }

  toJSON(): never {
    throw new Coerced(this);
  }

  get [Symbol.iterator](): never {
    throw new Coerced(this);
  }
}

/** An element of an array that is there only sometimes, or any number of times. */
export class Uncertain {
  readonly value: unknown;
  readonly context: Context;

  constructor(value: unknown, context: Context) {
    this.value = value;
    this.context = context;
  }
}

/** Why what is evaluated now may not happen, or happen more than once. */
export interface Context {
  readonly kind: 'conditional' | 'repeated';
  readonly dyn: Dyn;
}

/** Ends a piece of evaluation. Evaluated code never sees it itself. */
export abstract class Signal extends Error {}

/** Thrown when native code tries to use an unknown value as a known one. */
export class Coerced extends Signal {
  readonly dyn: Dyn;

  constructor(dyn: Dyn) {
    super(dyn.reason);
    this.dyn = dyn;
  }
}

/** What evaluated code throws; `try … catch` of the evaluated code catches it, nothing else does. */
export class UserThrow extends Signal {
  readonly value: unknown;
  /** Where it was thrown. */
  readonly node: SyntaxNode | undefined;

  constructor(value: unknown, node: SyntaxNode | undefined) {
    super(value instanceof Error ? value.message : typeof value === 'string' ? value : 'something is thrown');
    this.value = value;
    this.node = node;
  }
}

/** Ends the evaluation of a file: it holds something that the evaluator does not do. Not visible to evaluated code. */
export class Unsupported extends Signal {
  readonly reason: string;
  readonly node: SyntaxNode | undefined;

  constructor(reason: string, node: SyntaxNode | undefined) {
    super(reason);
    this.reason = reason;
    this.node = node;
  }
}

/** Ends the evaluation of everything: a bound on steps, depth or size is reached. */
export class OutOfBounds extends Unsupported {}

/** Ends a piece of evaluation whose mistake has been reported already. */
export class Abandoned extends Signal {}

export function isSignal(error: unknown): error is Signal {
  return error instanceof Signal;
}

/** How a statement ends, if not normally. */
export type Completion =
  | undefined
  | { readonly type: 'break' | 'continue'; readonly label: string | undefined }
  | { readonly type: 'return'; readonly value: unknown }
  /** It ends like that if something unknown is so; otherwise evaluation goes on. */
  | { readonly type: 'maybe'; readonly of: AbruptCompletion; readonly dyn: Dyn };

export type AbruptCompletion = Exclude<Completion, undefined | { readonly type: 'maybe' }>;

/** What a suspended function waits for. */
export type Suspension =
  { readonly kind: 'await'; readonly value: unknown } | { readonly kind: 'yield'; readonly value: unknown };
