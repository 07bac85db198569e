/** Turns TypeScript into JavaScript that Node runs: types away, enums and decorators written out, lines mapped. */
import { createRequire } from 'node:module';
import { basename, extname } from 'node:path';
import type ts from 'typescript';
import { entryFile } from '../entry-files.ts';
import { type CommonJsVariable, type ModuleFormat, readModuleSyntax } from './module-format.ts';
import { SourceError } from './source-error.ts';
import type { EmitOptions } from './tsconfig.ts';

export interface TranspiledModule {
  readonly format: ModuleFormat;
  /** JavaScript that ends with its source map. */
  readonly code: string;
}

/** Gives the TypeScript compiler; called at most once, and only when a file is not in the cache. */
export type LoadTypeScript = () => typeof ts;

/**
 * The version of TypeScript that translates, known without loading it because it is part of every cache key.
 * A test holds it against the installed one.
 */
export const TYPESCRIPT_VERSION = '6.0.3';

/** @param path the compiler's own file; by default the one that comes with the runner. */
export function loadTypeScriptFrom(path?: string): LoadTypeScript {
  return () => createRequire(import.meta.url)(path ?? entryFile('typescript')) as typeof ts;
}

/**
 * Translates one file by itself.
 *
 * @throws SourceError for a file that is not TypeScript.
 */
export function transpile(
  typescript: typeof ts,
  path: string,
  source: string,
  emit: EmitOptions,
): TranspiledModule {
  const { format, missing, exported } = readModuleSyntax(typescript, path, source);
  const { outputText, sourceMapText, diagnostics } = typescript.transpileModule(source, {
    // The compiler tells the format by the extension alone.
    fileName: basename(path, extname(path)) + (format === 'module' ? '.mts' : '.cts'),
    reportDiagnostics: true,
    compilerOptions: {
      target: typescript.ScriptTarget.ES2024,
      module: typescript.ModuleKind.NodeNext,
      moduleResolution: typescript.ModuleResolutionKind.NodeNext,
      esModuleInterop: true,
      sourceMap: true,
      ...emit,
    },
  });
  const mistake = diagnostics?.find(diagnostic => diagnostic.file !== undefined);
  if (mistake !== undefined) {
    const reason = typescript.flattenDiagnosticMessageText(mistake.messageText, '\n');
    throw new SourceError(path, source, mistake.start ?? 0, reason);
  }
  const plain = outputText.replace(MAP_COMMENT, '');
  const output = format === 'commonjs' ? withRequire(plain) + exportHint(exported) : plain;
  return { format, code: withSourceMap(path, output, sourceMapText ?? '', declarations(missing)) };
}

/**
 * A CommonJS file that an ES module imports is given a `require` by Node 22 that asks no hooks; it is known by what it
 * lacks. The line of the directive takes the remedy, so that the source map still holds.
 */
function withRequire(code: string): string {
  if (!code.includes('require(')) return code;
  return code.replace(
    /^(#![^\n]*\n)?("use strict";)?/,
    `$1$2 if (!require.extensions) require = ${CREATE_REQUIRE}(__filename);`,
  );
}

/** Never runs: it is what Node's search for the names that CommonJS exports understands. */
function exportHint(names: readonly string[]): string {
  if (names.length === 0) return '';
  const properties = names.map(name => `${JSON.stringify(name)}: exports`);
  return `0 && (module.exports = { ${properties.join(', ')} });\n`;
}

const CREATE_REQUIRE = "process.getBuiltinModule('node:module').createRequire";

/** Declarations of what ES modules do not have but the file uses, on one line. */
function declarations(missing: readonly CommonJsVariable[]): string {
  return missing.map(name => DECLARATIONS[name]).join(' ');
}

const DECLARATIONS: Readonly<Record<CommonJsVariable, string>> = {
  __dirname: 'const __dirname = import.meta.dirname;',
  __filename: 'const __filename = import.meta.filename;',
  require: `const require = ${CREATE_REQUIRE}(import.meta.url);`,
};

const MAP_COMMENT = /\/\/# sourceMappingURL=[^\n]*\s*$/;

/** The code with its map inline, and with `preamble` as a line of its own at the top that the map knows of. */
function withSourceMap(path: string, output: string, mapText: string, preamble: string): string {
  const map = JSON.parse(mapText) as { mappings: string; [key: string]: unknown };
  let code = output;
  let mappings = map.mappings;
  if (preamble !== '') {
    const hashbang = /^#![^\n]*\n/.exec(code)?.[0] ?? '';
    code = `${hashbang}${preamble}\n${code.slice(hashbang.length)}`;
    // A line without mappings; a hashbang has none either.
    mappings = `;${mappings}`;
  }
  // Relative to the file itself, so that copies of a file can share what is cached.
  const { version, names } = map;
  const inlined = { version, sources: [encodeURIComponent(basename(path))], names, mappings };
  const data = Buffer.from(JSON.stringify(inlined)).toString('base64');
  return `${code}//# sourceMappingURL=data:application/json;base64,${data}\n`;
}
