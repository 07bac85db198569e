/** Gives memory back while nobody waits for an answer: what an edit leaves would otherwise stay until the next ones. */
import { getHeapStatistics } from 'node:v8';

/** Bytes by which the heap has grown since the last collection that make another one worth its time. */
const worthwhile = 16_000_000;

/** Bytes that are not to wait for a long rest. */
const urgent = 150_000_000;

/** Milliseconds without work after which nobody is expected to type on; and those between two words. */
const rest = 3000;
const pause = 300;

export class IdleCollection {
  #timer: NodeJS.Timeout | undefined;
  /** Bytes of the heap after the last collection. */
  #size = 0;

  /** Something was computed: if nothing else is for a while, what it has left behind is collected. */
  worked(): void {
    clearTimeout(this.#timer);
    // V8 has the function only where it is started with the flag for it.
    const { gc } = globalThis;
    const growth = getHeapStatistics().total_heap_size - this.#size;
    if (gc === undefined || growth < worthwhile) return;
    this.#timer = setTimeout(
      () => {
        // This kind gives pages back to the system as well.
        gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
        this.#size = getHeapStatistics().total_heap_size;
      },
      growth < urgent ? rest : pause,
    ).unref();
  }
}
