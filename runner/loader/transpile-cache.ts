/** Translated files, kept by the hash of everything that they depend on. Nothing here can fail for the user. */
import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type TranspiledModule, TYPESCRIPT_VERSION } from './transpile.ts';
import type { EmitOptions } from './tsconfig.ts';

/** Counts changes of what {@link transpile} makes of a file and of how entries are written. */
const FORMAT_VERSION = 1;

/** Days that an entry is kept; whoever still needs it pays one translation. */
const KEPT_DAYS = 30;
/** Days between two looks for old entries. */
const PRUNED_EVERY_DAYS = 1;
const DAY = 86_400_000;

const PRUNE_MARK = 'pruned';

/**
 * Several processes may share a directory: an entry appears at once and whole. A damaged entry counts as absent and is
 * replaced; a directory that cannot be written costs time, nothing else.
 */
export class TranspileCache {
  readonly #directory: string;
  #isWritable = true;
  #isPruned = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Names what a file becomes. The name of the file belongs to it because the source map holds it. */
  key(path: string, source: string, emit: EmitOptions): string {
    const { experimentalDecorators, emitDecoratorMetadata, useDefineForClassFields } = emit;
    const options = [experimentalDecorators, emitDecoratorMetadata, useDefineForClassFields];
    const facts = [FORMAT_VERSION, TYPESCRIPT_VERSION, basename(path), options];
    return hash('sha1', `${JSON.stringify(facts)}\n${source}`);
  }

  read(key: string): TranspiledModule | undefined {
    let text: string;
    try {
      text = readFileSync(this.#file(key), 'utf8');
    } catch {
      return undefined;
    }
    const [, format, checksum] = /^(module|commonjs) ([0-9a-f]{40})\n/.exec(text) ?? [];
    if (format === undefined || checksum === undefined) return undefined;
    const code = text.slice(format.length + checksum.length + 2);
    if (hash('sha1', code) !== checksum) return undefined;
    return { format: format === 'module' ? 'module' : 'commonjs', code };
  }

  write(key: string, { format, code }: TranspiledModule): void {
    if (!this.#isWritable) return;
    const temporary = join(this.#directory, `${key}.${String(process.pid)}.tmp`);
    try {
      // What is above it is not ours to close: as root, the Postgres server of another account goes through it.
      mkdirSync(dirname(this.#directory), {
        recursive: true,
        mode: process.getuid?.() === 0 ? 0o755 : 0o700,
      });
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(temporary, `${format} ${hash('sha1', code)}\n${code}`);
      renameSync(temporary, this.#file(key));
    } catch {
      // Read-only, full or not a directory: the next process translates again.
      this.#isWritable = false;
      discard(temporary);
      return;
    }
    this.#prune();
  }

  #file(key: string): string {
    return join(this.#directory, `${key}.js`);
  }

  /** Now and then removes what is old: entries, and what processes that were killed left behind. */
  #prune(): void {
    if (this.#isPruned) return;
    this.#isPruned = true;
    const now = Date.now();
    const mark = join(this.#directory, PRUNE_MARK);
    const lastTime = statSync(mark, { throwIfNoEntry: false })?.mtimeMs;
    if (lastTime !== undefined && now - lastTime < PRUNED_EVERY_DAYS * DAY) return;
    try {
      writeFileSync(mark, '');
      for (const name of readdirSync(this.#directory)) {
        const file = join(this.#directory, name);
        const age = now - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? now);
        if (/\.(?:js|tmp)$/.test(name) && age > KEPT_DAYS * DAY) rmSync(file, { force: true });
      }
    } catch {
      // Another process prunes, or may not: entries that stay do no harm.
    }
  }
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // What cannot be written often cannot be removed either; a later look for old entries will.
  }
}
