/** What the loader takes from the tsconfig.json that governs a file: how names are mapped and how code is emitted. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Cache, createPathsMatcher, getTsconfig, type TsConfigResult } from 'get-tsconfig';

/** The options that change what code means; everything else in a tsconfig.json is about checking. */
export interface EmitOptions {
  readonly experimentalDecorators?: boolean;
  readonly emitDecoratorMetadata?: boolean;
  readonly useDefineForClassFields?: boolean;
}

export interface TsConfig {
  readonly emit: EmitOptions;
  /** Where `paths` and `baseUrl` say that a bare specifier may lie: absolute, best first, not checked for existence. */
  candidates(specifier: string): readonly string[];
}

const NOTHING: TsConfig = { emit: {}, candidates: () => [] };

/**
 * Words without which a tsconfig.json has nothing for the loader, so that it need not be parsed: most have not.
 * `extends` may bring any of the others.
 */
const RELEVANT =
  /"(?:paths|baseUrl|extends|experimentalDecorators|emitDecoratorMetadata|useDefineForClassFields)"/;

/** Finds the tsconfig.json of files; each is read once. */
export class TsConfigs {
  readonly #byDirectory = new Map<string, TsConfig>();
  readonly #parserCache: Cache = new Map<string, unknown>();

  /** What governs the files of a directory: the nearest tsconfig.json, going up. */
  of(directory: string): TsConfig {
    const known = this.#byDirectory.get(directory);
    if (known !== undefined) return known;
    const config = this.#find(directory);
    this.#byDirectory.set(directory, config);
    return config;
  }

  #find(directory: string): TsConfig {
    const text = readIfPresent(join(directory, 'tsconfig.json'));
    if (text !== undefined) return RELEVANT.test(text) ? this.#parse(directory) : NOTHING;
    const parent = dirname(directory);
    return parent === directory ? NOTHING : this.of(parent);
  }

  #read(directory: string): TsConfigResult | null {
    try {
      return getTsconfig(directory, 'tsconfig.json', this.#parserCache);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${join(directory, 'tsconfig.json')} cannot be used: ${reason}`, { cause: error });
    }
  }

  #parse(directory: string): TsConfig {
    const found = this.#read(directory);
    if (found === null) return NOTHING;
    const { experimentalDecorators, emitDecoratorMetadata, useDefineForClassFields } =
      found.config.compilerOptions ?? {};
    const matcher = createPathsMatcher(found);
    return {
      emit: {
        ...(experimentalDecorators === undefined ? {} : { experimentalDecorators }),
        ...(emitDecoratorMetadata === undefined ? {} : { emitDecoratorMetadata }),
        ...(useDefineForClassFields === undefined ? {} : { useDefineForClassFields }),
      },
      candidates: specifier => matcher?.(specifier) ?? [],
    };
  }
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there, a directory, or not readable: then it governs nothing.
    return undefined;
  }
}
