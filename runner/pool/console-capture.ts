/** Standard output and standard error of user functions: they belong to the task that runs. */
import type { OutputFlow } from './output-flow.ts';

/** Takes what the process writes while a task runs. */
export interface ConsoleTaker {
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
}

/**
 * Replaces what `console.log`, `process.stdout.write` and the like write to. Without a taker (no task is running) it
 * goes nowhere: it would be mixed with the output of another task. `write` says when to wait, and `drain` follows.
 */
export function captureConsole(taker: () => ConsoleTaker | undefined, flow: OutputFlow): void {
  redirect(process.stdout, chunk => taker()?.stdout(chunk), flow);
  redirect(process.stderr, chunk => taker()?.stderr(chunk), flow);
}

function redirect(stream: NodeJS.WriteStream, take: (chunk: Buffer) => void, flow: OutputFlow): void {
  let announced = false;
  const write = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    // A copy: the caller may use its buffer again.
    take(
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8')
        : Buffer.from(chunk),
    );
    const done = typeof encoding === 'function' ? encoding : callback;
    const room = flow.wait();
    if (room === undefined) {
      if (done !== undefined) process.nextTick(done);
      return true;
    }
    if (done !== undefined)
      void room.then(() => {
        done();
      });
    if (!announced) {
      announced = true;
      void room.then(() => {
        announced = false;
        stream.emit('drain');
      });
    }
    return false;
  };
  stream.write = write;
}
