/**
 * Pipes for the output of programs. What Node makes itself for `stdio: 'pipe'` are sockets, and a shell script that
 * writes to /dev/stderr or /dev/stdout fails on a socket ("No such device or address"); on a real pipe it works.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** A pipe: the end to read here, and the end to give to a program as its output and to close then. */
export interface Pipe {
  readonly reader: Readable;
  readonly writeEnd: number;
}

const batch = 16;

/**
 * Where a process has the names of its pipes for the moment in which they need some. Who is killed in that moment
 * leaves the folder to who has started it: hence a name that both know.
 */
export function pipeFolderOf(pid: number): string {
  return `${pipeFolderPrefix()}${String(pid)}`;
}

/** What all such names begin with. */
export function pipeFolderPrefix(): string {
  return join(tmpdir(), 'millrace-pipes-');
}

/** Removes it, if it is there and ours. */
export function removePipeFolder(pid: number): void {
  try {
    rmSync(pipeFolderOf(pid), { recursive: true, force: true });
  } catch {
    // Another user's.
  }
}

/** Makes pipes as needed, several at a time, because that takes a program (`mkfifo`). */
export class PipeSupply implements Disposable {
  #spare: { readonly readEnd: number; readonly writeEnd: number }[] = [];
  #works = process.platform !== 'win32';

  /** `undefined` where only Node's own pipes are to be had. */
  take(): Pipe | undefined {
    if (this.#spare.length === 0 && this.#works) this.#refill();
    const pipe = this.#spare.pop();
    if (pipe === undefined) return undefined;
    return {
      reader: new Socket({ fd: pipe.readEnd, readable: true, writable: false }),
      writeEnd: pipe.writeEnd,
    };
  }

  [Symbol.dispose](): void {
    for (const { readEnd, writeEnd } of this.#spare) {
      closeSync(readEnd);
      closeSync(writeEnd);
    }
    this.#spare = [];
    this.#works = false;
  }

  #refill(): void {
    const folder = pipeFolderOf(process.pid);
    try {
      // Whatever stands there is of a process that is gone. A stranger's cannot be removed, and making one's own fails.
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o700 });
      const names = Array.from({ length: batch }, (_, index) => join(folder, String(index)));
      execFileSync('mkfifo', ['-m', '600', ...names], { stdio: 'ignore' });
      for (const name of names) {
        const readEnd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
        this.#spare.push({ readEnd, writeEnd: openSync(name, constants.O_WRONLY) });
      }
    } catch {
      // No `mkfifo`, or no room for it: Node's own pipes do for nearly everything.
      this.#works = false;
    } finally {
      removePipeFolder(process.pid);
    }
  }
}
