/** Functions of the evaluated program, as functions that native code can call too. */
import { factsOf } from '../source-facts.ts';
import { Kind, type SyntaxNode, ts } from '../syntax.ts';
import { afterSuper } from './classes.ts';
import { evaluate } from './expressions.ts';
import type { Machine } from './machine.ts';
import { bindParameters } from './patterns.ts';
import { asyncIterator, runAsync } from './promises.ts';
import { type Frame, Scope } from './scope.ts';
import { runBody } from './statements.ts';
import { evaluateSuspendable, hasSuspension } from './suspension.ts';
import { Coerced, Dyn, type Suspension, Unsupported, UserThrow } from './values.ts';

export type FunctionNode = Exclude<ts.FunctionLikeDeclaration, never>;

/** What is behind a function of the evaluated program. */
export interface Closure {
  readonly node: FunctionNode;
  readonly scope: Scope;
  readonly homeObject: object | undefined;
  readonly isArrow: boolean;
  readonly isAsync: boolean;
  readonly isGenerator: boolean;
  /** That of all calls of a synchronous arrow function in an asynchronous one. */
  frame?: Frame;
}

export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const closures = new WeakMap<object, Closure>();

export function closureOf(value: unknown): Closure | undefined {
  return typeof value === 'function' ? closures.get(value) : undefined;
}

export interface FunctionOptions {
  readonly name: string;
  readonly homeObject?: object | undefined;
}

/** Makes the function that an expression or declaration stands for. */
export function makeFunction(
  machine: Machine,
  node: FunctionNode,
  scope: Scope,
  { name, homeObject }: FunctionOptions,
): AnyFunction {
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined;
  const closure: Closure = {
    node,
    scope,
    homeObject,
    isArrow: ts.isArrowFunction(node),
    isAsync: modifiers?.some(({ kind }) => kind === Kind.AsyncKeyword) === true,
    isGenerator: node.asteriskToken !== undefined,
  };
  const { wrapper } = {
    wrapper(this: unknown, ...args: unknown[]): unknown {
      const result = callClosure(machine, closure, this, args);
      if (result instanceof Dyn && machine.isStrict) {
        machine.coerced = result;
        throw new Coerced(result);
      }
      return result;
    },
  };
  Object.defineProperty(wrapper, 'name', { value: name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: lengthOf(node.parameters), configurable: true });
  closures.set(wrapper, closure);
  return machine.created(wrapper);
}

function lengthOf(parameters: readonly ts.ParameterDeclaration[]): number {
  const own = parameters.filter(({ name }) => !ts.isIdentifier(name) || name.text !== 'this');
  const end = own.findIndex(
    ({ initializer, dotDotDotToken }) => initializer !== undefined || dotDotDotToken !== undefined,
  );
  return end < 0 ? own.length : end;
}

/** The source text, which is what `toString()` of the function gives. */
export function functionSource(closure: Closure): string {
  return closure.node.getText();
}

export function callClosure(
  machine: Machine,
  closure: Closure,
  thisValue: unknown,
  args: readonly unknown[],
): unknown {
  const frame: Frame = closure.isArrow
    ? closure.isAsync === closure.scope.frame.isAsync
      ? closure.scope.frame
      : closure.isAsync
        ? arrowFrame(closure)
        : (closure.frame ??= arrowFrame(closure))
    : {
        thisValue,
        hasThis: true,
        newTarget: undefined,
        homeObject: closure.homeObject,
        isAsync: closure.isAsync,
      };
  return invoke(machine, closure, frame, args);
}

/** An asynchronous arrow function in a synchronous one, or the reverse; `this` is that of the function around it. */
function arrowFrame({ scope: { frame }, isAsync }: Closure): Frame {
  return {
    get thisValue() {
      return frame.thisValue;
    },
    set thisValue(value) {
      frame.thisValue = value;
    },
    get hasThis() {
      return frame.hasThis;
    },
    set hasThis(value) {
      frame.hasThis = value;
    },
    newTarget: frame.newTarget,
    homeObject: frame.homeObject,
    callSuper: frame.callSuper,
    isAsync,
  };
}

/** Evaluates the body of a function. */
export function invoke(machine: Machine, closure: Closure, frame: Frame, args: readonly unknown[]): unknown {
  const { node } = closure;
  return machine.deeper(node, () => {
    machine.step(node);
    const scope = new Scope(closure.scope, closure.scope.module, frame, machine.contexts, true);
    if (!closure.isArrow && factsOf(closure.scope.module.source).valueNames.has('arguments')) {
      scope.initialize('arguments', [...args]);
    }
    if (closure.isGenerator) {
      bindParameters(machine, node.parameters, args, scope);
      const body = bodyOf(machine, node, scope);
      return closure.isAsync ? asyncIterator(machine, body) : generate(machine, body);
    }
    if (closure.isAsync) {
      return runAsync(machine, bodyWithParameters(machine, node, args, scope));
    }
    bindParameters(machine, node.parameters, args, scope);
    if (ts.isConstructorDeclaration(node) && frame.hasThis) afterSuper(frame, scope);
    const { body } = node;
    if (body !== undefined && !ts.isBlock(body)) return evaluate(machine, body, scope);
    const end = bodyOf(machine, node, scope).next();
    if (end.done !== true) throw new Unsupported('it waits where it cannot', node);
    return end.value;
  });
}

function* bodyWithParameters(
  machine: Machine,
  node: FunctionNode,
  args: readonly unknown[],
  scope: Scope,
): Generator<Suspension, unknown, unknown> {
  bindParameters(machine, node.parameters, args, scope);
  return yield* bodyOf(machine, node, scope);
}

function* bodyOf(
  machine: Machine,
  { body }: FunctionNode,
  scope: Scope,
): Generator<Suspension, unknown, unknown> {
  if (body === undefined) return undefined;
  if (ts.isBlock(body)) return yield* runBody(machine, body.statements, scope);
  return hasSuspension(body)
    ? yield* evaluateSuspendable(machine, body, scope)
    : evaluate(machine, body, scope);
}

/** A real generator around the evaluation of one, so that native code can iterate it. */
function* generate(
  machine: Machine,
  body: Generator<Suspension, unknown, unknown>,
): Generator<unknown, unknown, unknown> {
  let step = machine.deeper(undefined, () => body.next());
  while (step.done !== true) {
    const { kind, value } = step.value;
    if (kind === 'await') throw new Unsupported('a generator waits', undefined);
    let sent: unknown;
    let isDone = false;
    let failure: UserThrow | undefined;
    try {
      isDone = true;
      sent = yield value;
      isDone = false;
    } catch (error) {
      isDone = false;
      failure = error instanceof UserThrow ? error : new UserThrow(error, undefined);
    } finally {
      // The consumer stops here: whatever stands in a finally block of the program still happens.
      if (isDone) body.return(undefined);
    }
    step = machine.deeper(undefined, () => (failure === undefined ? body.next(sent) : body.throw(failure)));
  }
  return step.value;
}

/** The name that a function or class gets from what it is assigned to. */
export function isAnonymousFunction(node: SyntaxNode): boolean {
  return (
    ts.isArrowFunction(node) ||
    (ts.isFunctionExpression(node) && node.name === undefined) ||
    (ts.isClassExpression(node) && node.name === undefined)
  );
}
