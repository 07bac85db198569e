/** How V8 is to deal with memory in the process of the analysis. */
import { setFlagsFromString } from 'node:v8';

/** For the command line of the process. */
export const v8Flags: readonly string[] = [
  // Garbage is collected when the heap has grown by a third, not when it is twice to four times as large.
  '--heap-growing-percent=30',
  // The thread that talks to the editor makes only garbage.
  '--max-semi-space-size=2',
  // The optimizing compiler takes hundreds of megabytes for the largest function of the SQL parser, and makes it no
  // faster for as much SQL as a project has.
  '--no-wasm-tier-up',
  '--no-wasm-dynamic-tiering',
];

/** Megabytes for new objects, a third of which is used at a time. */
export const youngGeneration = 12;

/** For a process that was started without the flags. On Electron, which may have frozen them, whoever starts it has to. */
export function useV8Flags(): void {
  if (process.versions['electron'] !== undefined) return;
  for (const flag of v8Flags) setFlagsFromString(flag);
}
