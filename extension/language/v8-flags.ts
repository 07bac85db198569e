/** How V8 is to deal with memory in the process of the analysis. */
import { setFlagsFromString } from 'node:v8';

/** For the command line of the process. */
export const v8Flags: readonly string[] = [
  // The garbage of edits is collected when nobody types, see idle-collection.ts: to collect it earlier than V8 does by
  // itself makes an edit of a file that all import take half as long again.
  '--expose-gc',
  // The optimizing compiler takes hundreds of megabytes for the largest function of the SQL parser, and makes it no
  // faster for as much SQL as a project has.
  '--no-wasm-tier-up',
  '--no-wasm-dynamic-tiering',
];

/**
 * Megabytes for new objects of the thread that analyses, a third of which is used at a time: as many as the evaluation of
 * some files makes, so that most of them are garbage before they would be moved to where collecting them takes long.
 */
export const youngGeneration = 24;

/** For a process that was started without the flags. On Electron, which may have frozen them, whoever starts it has to. */
export function useV8Flags(): void {
  if (process.versions['electron'] !== undefined) return;
  for (const flag of v8Flags) setFlagsFromString(flag);
}
