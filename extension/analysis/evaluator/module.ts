/** Modules of the evaluated program. */
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isPipeline, Node } from '../../../runner/api/node.ts';
import { describeMissingExport } from '../../../runner/loader/missing-export.ts';
import type { ProjectFiles } from '../project-files.ts';
import { boundNames, factsOf, isDeclaredOnly } from '../source-facts.ts';
import { Kind, type SourceFile, type SyntaxNode, syntaxMistakes, ts } from '../syntax.ts';
import type { Machine } from './machine.ts';
import { hasValues } from './namespaces.ts';
import { Platform } from './platform.ts';
import { rejected, resolved, settle } from './promises.ts';
import { type Binding, type Frame, Scope } from './scope.ts';
import { hoist, hoistVariables } from './declarations.ts';
import { runModule } from './statements.ts';
import { Coerced, Dyn, Unsupported, UserThrow } from './values.ts';

type Exported = Binding | { readonly value: unknown };

/** A file that takes part in the evaluation. */
export class EvaluatedModule {
  readonly path: string;
  readonly source: SourceFile;
  readonly scope: Scope;
  /** What it imports directly. */
  readonly imports = new Set<EvaluatedModule>();
  readonly exports = new Map<string, () => Exported | undefined>();
  readonly starExports: (() => ModuleLike)[] = [];
  status: 'linked' | 'evaluating' | 'evaluated' = 'linked';
  /** A mistake keeps it from being loaded. */
  hasFailed = false;
  mistakeCount = 0;
  /** It may not be loaded, depending on something unknown. */
  mayFail: Dyn | undefined;
  /** Something in it is not evaluated, and everything after that with it. */
  dynamic: Dyn | undefined;
  /** Others change what it holds, or it holds nodes: then all who import it must see the same. */
  isShared = false;
  namespace: unknown;
  readonly hasUsing: boolean;

  constructor(path: string, source: SourceFile) {
    this.path = path;
    this.source = source;
    this.hasUsing = factsOf(source).hasUsing;
    const frame: Frame = {
      thisValue: undefined,
      hasThis: true,
      newTarget: undefined,
      homeObject: undefined,
      isAsync: true,
    };
    this.scope = new Scope(undefined, this, frame, [], true);
  }

  /** A variable at the top of the file changes. */
  noteWrite(scope: Scope): void {
    if (scope === this.scope && this.status === 'evaluated') this.isShared = true;
  }

  getExport(name: string, seen = new Set<EvaluatedModule>()): Exported | undefined {
    const own = this.exports.get(name)?.();
    if (own !== undefined || name === 'default' || seen.has(this)) return own;
    seen.add(this);
    for (const star of this.starExports) {
      const found = star().getExport(name, seen);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  exportNames(seen = new Set<EvaluatedModule>()): Set<string> {
    const names = new Set(this.exports.keys());
    if (seen.has(this)) return names;
    seen.add(this);
    for (const star of this.starExports) {
      for (const name of star().exportNames(seen)) if (name !== 'default') names.add(name);
    }
    return names;
  }
}

interface ModuleLike {
  getExport(name: string, seen?: Set<EvaluatedModule>): Exported | undefined;
  exportNames(seen?: Set<EvaluatedModule>): Set<string>;
}

/** A module that is not evaluated: what it exports is given, or unknown. */
class GivenModule implements ModuleLike {
  readonly #get: (name: string) => unknown;
  readonly #names: readonly string[];
  readonly namespace: unknown;

  constructor(get: (name: string) => unknown, names: readonly string[], namespace: unknown) {
    this.#get = get;
    this.#names = names;
    this.namespace = namespace;
  }

  getExport(name: string): Exported | undefined {
    const value = this.#get(name);
    return value === undefined && !this.#names.includes(name) ? undefined : { value };
  }

  exportNames(): Set<string> {
    return new Set(this.#names);
  }
}

type AnyModule = EvaluatedModule | GivenModule;

export class Modules {
  readonly files: ProjectFiles;
  readonly #api: Readonly<Record<string, unknown>>;
  readonly #modules = new Map<string, AnyModule>();
  readonly #owners = new WeakMap<object, EvaluatedModule>();
  readonly #platform: Platform;
  /** The file that is loaded for itself; the others are loaded because they are imported. */
  #rootPath = '';

  constructor(
    files: ProjectFiles,
    api: Readonly<Record<string, unknown>>,
    environment: Readonly<Record<string, string | undefined>> | undefined,
  ) {
    this.files = files;
    this.#api = api;
    this.#platform = new Platform(files, environment);
  }

  get all(): EvaluatedModule[] {
    return [...this.#modules.values()].filter(module => module instanceof EvaluatedModule);
  }

  get(path: string): EvaluatedModule | undefined {
    const module = this.#modules.get(path);
    return module instanceof EvaluatedModule ? module : undefined;
  }

  /** Evaluates a file and everything that it imports. */
  load(machine: Machine, path: string): EvaluatedModule | undefined {
    this.#rootPath = path;
    const module = this.#link(machine, path);
    if (!(module instanceof EvaluatedModule)) return undefined;
    this.#evaluate(machine, module);
    this.#finish(machine, module);
    return module;
  }

  /** Does what the file has left for later. A promise that is rejected while nobody waits for it ends the program. */
  #finish(machine: Machine, module: EvaluatedModule): void {
    machine.evaluating.push(module);
    try {
      while (machine.jobs.runOne()) machine.step(module.source);
    } catch (error) {
      this.#giveUp(machine, module, error);
    } finally {
      machine.evaluating.pop();
    }
    for (const { state } of machine.jobs.takeUnhandled()) {
      if (state.kind !== 'rejected') continue;
      machine.evaluating.push(module);
      machine.report(state.error.value, state.error.node ?? module.source);
      machine.evaluating.pop();
    }
  }

  /** Notes that an object belongs to a module, so that it is known who changes it. */
  noteCreated(machine: Machine, object: object): void {
    const module = machine.evaluating.at(-1);
    if (module !== undefined && module.path !== this.#rootPath) this.#owners.set(object, module);
  }

  noteMutation(target: object): void {
    const owner = this.#owners.get(target);
    if (owner?.status === 'evaluated') owner.isShared = true;
  }

  importMeta(module: EvaluatedModule): object {
    return {
      __proto__: null,
      dirname: dirname(module.path),
      filename: module.path,
      main: false,
      url: pathToFileURL(module.path).href,
    };
  }

  globalOf(
    machine: Machine,
    name: string,
    module: EvaluatedModule,
    node: SyntaxNode,
  ): { readonly value: unknown } | undefined {
    if (name === '__dirname') return { value: dirname(module.path) };
    if (name === '__filename') return { value: module.path };
    return this.#platform.global(machine, name, node);
  }

  importDynamically(machine: Machine, specifier: unknown, from: EvaluatedModule, node: SyntaxNode): unknown {
    if (typeof specifier !== 'string') {
      return specifier instanceof Dyn ? specifier.derive() : new Dyn('an import', node);
    }
    const module = this.#resolve(machine, specifier, from, node);
    if (module === undefined) return rejected(machine, new UserThrow(this.#missing(specifier), node));
    if (module instanceof EvaluatedModule) {
      this.#evaluate(machine, module);
      if (module.hasFailed) from.hasFailed = true;
      from.mayFail ??= module.mayFail;
    }
    return resolved(machine, this.#namespaceOf(machine, module));
  }

  #missing(specifier: string): Error {
    if (/^[./]|^file:|^[A-Za-z]:\\/.test(specifier))
      return new Error(`Cannot find "${specifier}", which is imported here.`);
    const [scope = '', name = ''] = specifier.split('/');
    const packageName = scope.startsWith('@') ? `${scope}/${name}` : scope;
    return new Error(
      `Cannot find the package "${packageName}". If its name is right, install it: npm install ${packageName}`,
    );
  }

  #resolve(
    machine: Machine,
    specifier: string,
    from: EvaluatedModule,
    node: SyntaxNode,
  ): AnyModule | undefined {
    const target = this.files.resolve(specifier, from.path);
    switch (target.kind) {
      case 'missing':
        return undefined;
      case 'api':
        return new GivenModule(
          name => (Object.hasOwn(this.#api, name) ? this.#api[name] : undefined),
          Object.keys(this.#api),
          this.#api,
        );
      case 'builtin': {
        const exports = this.#platform.builtin(machine, target.name, node);
        return new GivenModule(
          name => exports(name),
          [],
          new Proxy(Object.freeze({}), {
            get: (_, key) => (typeof key === 'string' ? exports(key) : undefined),
          }),
        );
      }
      case 'package': {
        const dyn = new Dyn(`the package "${target.name}"`, node);
        return new GivenModule(
          name => (name === 'default' ? dyn : new Dyn(`"${name}" of the package "${target.name}"`, node)),
          [],
          dyn,
        );
      }
      case 'file': {
        const linked = this.#link(machine, target.path);
        if (linked instanceof EvaluatedModule) from.imports.add(linked);
        return linked;
      }
    }
  }

  /** Parses a file and connects its names to those of the files that it imports. */
  #link(machine: Machine, path: string): AnyModule | undefined {
    const known = this.#modules.get(path);
    if (known !== undefined) return known;
    if (path.endsWith('.json')) return this.#json(path);
    const source = this.files.parse(path);
    if (source === undefined) return undefined;
    const module = new EvaluatedModule(path, source);
    this.#modules.set(path, module);
    machine.evaluating.push(module);
    try {
      const [mistake] = syntaxMistakes(source);
      const { earlyError, isAmbiguous, isCommonJs } = factsOf(source);
      if (mistake !== undefined) {
        module.hasFailed = true;
        machine.mistakes.push({
          error: new SyntaxError(mistake.message),
          node: undefined,
          range: { file: source, start: mistake.start, end: mistake.start + mistake.length },
          module,
        });
      } else if (earlyError !== undefined) {
        machine.report(new SyntaxError(earlyError.message), earlyError.node);
      }
      if (isCommonJs) module.dynamic = new Dyn('a file that is written as CommonJS', source);
      if (isAmbiguous) module.dynamic = new Dyn('a name that is both imported and declared', source);
      hoist(machine, source.statements, module.scope);
      hoistVariables(source.statements, module.scope);
      this.#connect(machine, module);
    } finally {
      machine.evaluating.pop();
    }
    return module;
  }

  #json(path: string): AnyModule | undefined {
    const text = this.files.read(path);
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text.replace(/^\uFEFF/, ''));
    } catch {
      const dyn = new Dyn(`${this.files.display(path)}, which is not valid JSON`, undefined);
      return new GivenModule(() => dyn, [], dyn);
    }
    const members =
      typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
    const exports = new Map<string, unknown>([...members, ['default', value]]);
    const module = new GivenModule(
      name => exports.get(name),
      [...exports.keys()],
      Object.freeze(Object.fromEntries(exports)),
    );
    this.#modules.set(path, module);
    return module;
  }

  #connect(machine: Machine, module: EvaluatedModule): void {
    const { valueNames } = factsOf(module.source);
    for (const statement of module.source.statements) {
      if (ts.isImportDeclaration(statement)) this.#connectImport(machine, module, statement, valueNames);
      else if (ts.isExportDeclaration(statement)) this.#connectExport(machine, module, statement);
      else if (ts.isExportAssignment(statement)) {
        module.scope.declare('*default*', true);
        module.exports.set('default', () => module.scope.bindings.get('*default*'));
      } else if (isExported(statement) && !isDeclaredOnly(statement)) {
        const isDefault = ts.canHaveModifiers(statement) && hasModifier(statement, Kind.DefaultKeyword);
        for (const name of declaredNames(statement)) {
          module.exports.set(isDefault ? 'default' : name, () => module.scope.bindings.get(name));
        }
      }
    }
  }

  #connectImport(
    machine: Machine,
    module: EvaluatedModule,
    statement: ts.ImportDeclaration,
    valueNames: ReadonlySet<string>,
  ): void {
    const { importClause, moduleSpecifier } = statement;
    if (importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword || !ts.isStringLiteral(moduleSpecifier))
      return;
    const wanted: { readonly local: ts.Identifier; readonly name: string | undefined }[] = [];
    if (importClause !== undefined) {
      const { name, namedBindings } = importClause;
      if (name !== undefined) wanted.push({ local: name, name: 'default' });
      if (namedBindings !== undefined && ts.isNamespaceImport(namedBindings))
        wanted.push({ local: namedBindings.name, name: undefined });
      else if (namedBindings !== undefined) {
        for (const element of namedBindings.elements) {
          if (!element.isTypeOnly)
            wanted.push({ local: element.name, name: (element.propertyName ?? element.name).text });
        }
      }
      const used = wanted.filter(({ local }) => valueNames.has(local.text));
      // What is imported for its types alone is not imported at all.
      if (used.length === 0) return;
      wanted.length = 0;
      wanted.push(...used);
    }
    const target = this.#resolve(machine, moduleSpecifier.text, module, moduleSpecifier);
    if (target === undefined) {
      const { innerNames } = factsOf(module.source);
      if (wanted.length > 0 && wanted.every(({ local }) => innerNames.has(local.text)))
        module.dynamic ??= hidden(moduleSpecifier);
      // Of a name that is imported twice, one import may vanish.
      if (module.dynamic === undefined) machine.report(this.#missing(moduleSpecifier.text), moduleSpecifier);
    }
    for (const { local, name } of wanted) {
      const imported =
        target === undefined
          ? (): Exported => ({ value: new Dyn(`"${moduleSpecifier.text}", which is not found`, local) })
          : name === undefined
            ? (): Exported => ({ value: this.#namespaceOf(machine, target) })
            : (): Exported =>
                target.getExport(name) ?? {
                  value: new Dyn(`"${name}", which "${moduleSpecifier.text}" does not export`, local),
                };
      module.scope.bindings.set(local.text, {
        value: undefined,
        isInitialized: false,
        isConstant: true,
        imported,
      });
      if (target !== undefined && name !== undefined)
        this.#checks.push({ module, target, name, specifier: moduleSpecifier.text, node: local });
    }
  }

  #checks: {
    module: EvaluatedModule;
    target: AnyModule;
    name: string;
    specifier: string;
    node: SyntaxNode;
  }[] = [];

  #connectExport(machine: Machine, module: EvaluatedModule, statement: ts.ExportDeclaration): void {
    const { exportClause, moduleSpecifier, isTypeOnly } = statement;
    if (isTypeOnly) return;
    if (moduleSpecifier === undefined) {
      if (exportClause === undefined || !ts.isNamedExports(exportClause)) return;
      for (const { name, propertyName, isTypeOnly: isType } of exportClause.elements) {
        const local = (propertyName ?? name).text;
        // A type of this file: it vanishes.
        if (isType || !module.scope.bindings.has(local)) continue;
        module.exports.set(name.text, () => {
          const binding = module.scope.bindings.get(local);
          return binding?.imported === undefined ? binding : binding.imported();
        });
      }
      return;
    }
    if (!ts.isStringLiteral(moduleSpecifier)) return;
    const specifier = moduleSpecifier.text;
    const target = this.#resolve(machine, specifier, module, moduleSpecifier);
    if (target === undefined) {
      machine.report(this.#missing(specifier), moduleSpecifier);
      return;
    }
    if (exportClause === undefined) {
      module.starExports.push(() => target);
    } else if (ts.isNamespaceExport(exportClause)) {
      module.exports.set(exportClause.name.text, () => ({ value: this.#namespaceOf(machine, target) }));
    } else {
      for (const { name, propertyName, isTypeOnly: isType } of exportClause.elements) {
        if (isType) continue;
        const source = (propertyName ?? name).text;
        module.exports.set(name.text, () => target.getExport(source));
        this.#checks.push({ module, target, name: source, specifier, node: propertyName ?? name });
      }
    }
  }

  #namespaceOf(machine: Machine, module: AnyModule): unknown {
    if (module instanceof GivenModule) return module.namespace;
    if (module.namespace !== undefined) return module.namespace;
    const namespace = Object.create(null) as object;
    module.namespace = namespace;
    for (const name of [...module.exportNames()].sort()) {
      Object.defineProperty(namespace, name, {
        enumerable: true,
        get: () => {
          const found = module.getExport(name);
          if (found === undefined) return undefined;
          if ('isInitialized' in found && !found.isInitialized && found.imported === undefined)
            return machine.mistake(
              new ReferenceError(`Cannot access '${name}' before initialization`),
              undefined,
            );
          return found.value;
        },
      });
    }
    Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Module' });
    return module.dynamic ?? Object.freeze(namespace);
  }

  /** Names that the modules which are imported do not export: Node then refuses the file that imports them. */
  #check(machine: Machine): void {
    const checks = this.#checks;
    this.#checks = [];
    for (const { module, target, name, specifier, node } of checks) {
      if (target instanceof EvaluatedModule && target.dynamic !== undefined) continue;
      if (target.getExport(name) !== undefined || module.dynamic !== undefined) continue;
      if (ts.isIdentifier(node) && factsOf(module.source).innerNames.has(node.text)) {
        module.dynamic = hidden(node);
        continue;
      }
      machine.evaluating.push(module);
      machine.report(new SyntaxError(describeMissingExport(specifier, name)), node);
      machine.evaluating.pop();
    }
  }

  #evaluate(machine: Machine, module: EvaluatedModule): void {
    if (module.status !== 'linked') return;
    this.#check(machine);
    module.status = 'evaluating';
    for (const imported of module.imports) this.#evaluate(machine, imported);
    machine.evaluating.push(module);
    const nodes = machine.host.infos.nodes.size;
    try {
      if (module.dynamic !== undefined) throw new Unsupported(module.dynamic.reason, module.source);
      const running = runModule(machine, module.source.statements, module.scope);
      let step = running.next();
      while (step.done !== true) {
        let value: unknown;
        try {
          value = settle(machine, step.value.value, module.source);
        } catch (error) {
          if (!(error instanceof UserThrow)) throw error;
          step = running.throw(error);
          continue;
        }
        step = running.next(value);
      }
    } catch (error) {
      this.#giveUp(machine, module, error);
    } finally {
      machine.evaluating.pop();
      module.status = 'evaluated';
    }
    if (machine.host.infos.nodes.size > nodes && module.path !== this.#rootPath) module.isShared = true;
    for (const imported of module.imports) {
      if (imported.hasFailed) module.hasFailed = true;
      module.mayFail ??= imported.mayFail;
    }
  }

  /** The rest of a file is not evaluated: whatever it does to what it knows is unknown. */
  #giveUp(machine: Machine, module: EvaluatedModule, error: unknown): void {
    if (machine.signal?.aborted === true && error === machine.signal.reason) throw error;
    const reason =
      error instanceof Coerced
        ? error.dyn.reason
        : error instanceof Unsupported
          ? error.reason
          : `code that the analysis cannot evaluate (${error instanceof Error ? error.message : String(error)})`;
    const node =
      error instanceof Unsupported ? error.node : error instanceof Coerced ? error.dyn.node : undefined;
    const dyn = new Dyn(reason, node ?? module.source);
    module.dynamic = dyn;
    for (const binding of module.scope.bindings.values()) {
      if (binding.imported !== undefined) {
        const target = binding.imported();
        open(machine, target.value, dyn, node ?? module.source);
      } else if (!binding.isInitialized) {
        binding.value = dyn;
        binding.isInitialized = true;
      } else {
        open(machine, binding.value, dyn, node ?? module.source);
      }
    }
  }
}

function open(machine: Machine, value: unknown, dyn: Dyn, node: SyntaxNode): void {
  if (value instanceof Node && isPipeline(value)) machine.host.escape(machine, value, dyn, node);
  else if (Array.isArray(value) || value instanceof Map || value instanceof Set) machine.open(value, dyn);
}

/** Whether the compiler keeps such an import depends on where the name is used. */
function hidden(node: SyntaxNode): Dyn {
  return new Dyn('a name that is both imported and declared', node);
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) && hasModifier(statement, Kind.ExportKeyword);
}

function hasModifier(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return ts.getModifiers(node)?.some(modifier => modifier.kind === kind) === true;
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) =>
      [...boundNames(name)].map(({ text }) => text),
    );
  }
  if (ts.isFunctionDeclaration(statement) && statement.body === undefined) return [];
  if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
    return [statement.name?.text ?? '*default*'];
  }
  if (ts.isModuleDeclaration(statement)) return hasValues(statement) ? [statement.name.text] : [];
  return ts.isEnumDeclaration(statement) ? [statement.name.text] : [];
}
