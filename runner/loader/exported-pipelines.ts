/** Which pipelines the files of a project export, and which file each of them belongs to. */
import { isPipeline } from '../api/node.ts';
import type { Pipeline } from '../api/pipeline.ts';

/** What `import * as exports` gives. */
export type ModuleExports = Readonly<Record<string, unknown>>;

/** The pipelines among the values that a module exports, each once, in the order of the module's exports. */
export function pipelinesAmong(exports: ModuleExports): Pipeline[] {
  const values = [...Object.values(exports), ...commonJsValues(exports['module.exports'])];
  return [...new Set(values.filter(isPipeline))];
}

/** Node finds only some of the names that CommonJS exports. */
function commonJsValues(exports: unknown): unknown[] {
  return typeof exports === 'object' && exports !== null && !isPipeline(exports)
    ? Object.values(exports)
    : [];
}

/**
 * The function that a module exports by default and that can be called without arguments: mara's way to give a
 * pipeline. Classes are functions too, but are not meant.
 */
export function defaultFactory(exports: ModuleExports): (() => unknown) | undefined {
  const value = exports['default'];
  if (typeof value !== 'function' || value.length > 0) return undefined;
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  return isClass ? undefined : () => Reflect.apply(value, undefined, []) as unknown;
}

/** Remembers who exports what. Files are named as Node names them, with links resolved. */
export class ExportedPipelines {
  readonly #exporters = new Map<Pipeline, string[]>();
  readonly #importsOf: (file: string) => Iterable<string>;

  constructor(importsOf: (file: string) => Iterable<string>) {
    this.#importsOf = importsOf;
  }

  add(file: string, pipelines: Iterable<Pipeline>): void {
    for (const pipeline of pipelines) {
      const exporters = this.#exporters.get(pipeline);
      if (exporters === undefined) this.#exporters.set(pipeline, [file]);
      else if (!exporters.includes(file)) exporters.push(file);
    }
  }

  has(pipeline: Pipeline): boolean {
    return this.#exporters.has(pipeline);
  }

  /** Every exported pipeline with its file: the one that the others have it from, if several export it. */
  *homes(): Generator<{ readonly pipeline: Pipeline; readonly file: string }> {
    for (const [pipeline, exporters] of this.#exporters) {
      const [first] = exporters;
      if (first === undefined) continue;
      yield { pipeline, file: exporters.length === 1 ? first : this.#origin(exporters, first) };
    }
  }

  #origin(exporters: readonly string[], first: string): string {
    const isOrigin = (file: string): boolean => {
      const reached = this.reachable([file]);
      return exporters.every(other => other === file || !reached.has(other));
    };
    return exporters.find(isOrigin) ?? first;
  }

  /** All files that some files import, directly or through others. */
  reachable(files: Iterable<string>): Set<string> {
    const reached = new Set<string>();
    const pending = [...files];
    for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
      for (const imported of this.#importsOf(file)) {
        if (reached.has(imported)) continue;
        reached.add(imported);
        pending.push(imported);
      }
    }
    return reached;
  }
}
