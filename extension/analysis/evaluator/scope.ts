/** Variables of the evaluated program. */
import type { Context } from './values.ts';
import type { EvaluatedModule } from './module.ts';

/** A variable. An imported one reads through to the module that exports it. */
export interface Binding {
  value: unknown;
  /** False between the beginning of the block and the declaration. */
  isInitialized: boolean;
  readonly isConstant: boolean;
  readonly imported?: (() => Binding | { readonly value: unknown }) | undefined;
}

/** The function whose body is evaluated. Arrow functions share that of the function around them. */
export interface Frame {
  thisValue: unknown;
  /** False in a derived constructor before `super()`. */
  hasThis: boolean;
  readonly newTarget: unknown;
  /** The object whose prototype `super.x` looks at. */
  readonly homeObject: object | undefined;
  /** Makes `this` by the constructor of the parent class. */
  readonly callSuper?: ((args: readonly unknown[]) => unknown) | undefined;
  readonly isAsync: boolean;
}

export class Scope {
  readonly parent: Scope | undefined;
  readonly module: EvaluatedModule;
  readonly frame: Frame;
  /** How many contexts of uncertainty there were when the scope was made: what it declares is as certain as these. */
  readonly contextDepth: number;
  readonly isFunction: boolean;
  /** Most blocks declare nothing. */
  #bindings: Map<string, Binding> | undefined;

  constructor(
    parent: Scope | undefined,
    module: EvaluatedModule,
    frame: Frame,
    contexts: readonly Context[],
    isFunction = false,
  ) {
    this.parent = parent;
    this.module = module;
    this.frame = frame;
    this.contextDepth = contexts.length;
    this.isFunction = isFunction;
  }

  get bindings(): Map<string, Binding> {
    return (this.#bindings ??= new Map());
  }

  /** The variable of a name. */
  find(name: string): Binding | undefined {
    let binding = this.#bindings?.get(name);
    for (let scope = this.parent; binding === undefined && scope !== undefined; scope = scope.parent)
      binding = scope.#bindings?.get(name);
    return binding;
  }

  /** The variable of a name, with the scope that declares it. */
  lookup(name: string): { readonly scope: Scope; readonly binding: Binding } | undefined {
    const own = this.#bindings?.get(name);
    return own === undefined ? this.parent?.lookup(name) : { scope: this, binding: own };
  }

  /** A scope inside of this one, in the same function. */
  child(contexts: readonly Context[]): Scope {
    return new Scope(this, this.module, this.frame, contexts);
  }

  declare(name: string, isConstant: boolean): void {
    if (!this.bindings.has(name))
      this.bindings.set(name, { value: undefined, isInitialized: false, isConstant });
  }

  initialize(name: string, value: unknown): void {
    const known = this.bindings.get(name);
    if (known === undefined) {
      this.bindings.set(name, { value, isInitialized: true, isConstant: false });
    } else {
      known.value = value;
      known.isInitialized = true;
    }
  }
}
