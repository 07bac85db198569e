/** Leaves out the last line of a text, which streams. */

const NEWLINE = 10;

/** Hands on all lines but the last one, whether or not a line break ends it. */
export async function* dropFooter(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // From the start of what may turn out to be the last line.
  let held: Buffer[] = [];
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    // A line break at the end of what is known belongs to the last line; it is passed on when something follows.
    const end = chunk.lastIndexOf(NEWLINE, chunk.length - 2);
    const before = held.at(-1);
    if (chunk.length > 1 && end !== -1) {
      yield* held;
      yield chunk.subarray(0, end + 1);
      held = [chunk.subarray(end + 1)];
    } else if (before?.at(-1) === NEWLINE) {
      yield* held;
      held = [chunk];
    } else {
      held.push(chunk);
    }
  }
}
