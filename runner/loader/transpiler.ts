/** Translates files on demand: from the cache where it can, with the compiler where it must. */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type ts from 'typescript';
import { type LoadTypeScript, transpile, type TranspiledModule } from './transpile.ts';
import type { TranspileCache } from './transpile-cache.ts';
import type { TsConfigs } from './tsconfig.ts';

export interface TranspilerOptions {
  readonly tsConfigs: TsConfigs;
  readonly cache: TranspileCache | undefined;
  readonly loadTypeScript: LoadTypeScript;
}

export class Transpiler {
  readonly #options: TranspilerOptions;
  #typescript: typeof ts | undefined;
  #isLoading = false;

  constructor(options: TranspilerOptions) {
    this.#options = options;
  }

  /** Whether the compiler itself is being loaded right now. */
  get isLoading(): boolean {
    return this.#isLoading;
  }

  /**
   * The JavaScript of a TypeScript file.
   *
   * @throws SourceError for a file that is not TypeScript.
   */
  load(path: string): TranspiledModule {
    return this.translate(path, readFileSync(path, 'utf8'));
  }

  /** The same for a text that need not be on disk, such as an editor's; fills the cache. */
  translate(path: string, source: string): TranspiledModule {
    const { tsConfigs, cache } = this.#options;
    const { emit } = tsConfigs.of(dirname(path));
    const key = cache?.key(path, source, emit);
    const cached = key === undefined ? undefined : cache?.read(key);
    if (cached !== undefined) return cached;
    const transpiled = transpile(this.#compiler(), path, source, emit);
    if (key !== undefined) cache?.write(key, transpiled);
    return transpiled;
  }

  #compiler(): typeof ts {
    if (this.#typescript === undefined) {
      this.#isLoading = true;
      try {
        this.#typescript = this.#options.loadTypeScript();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const message = `The TypeScript compiler that comes with Millrace cannot be loaded; install Millrace again. (${reason})`;
        throw new Error(message, { cause: error });
      } finally {
        this.#isLoading = false;
      }
    }
    return this.#typescript;
  }
}
