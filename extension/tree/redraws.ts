/** When a tree is drawn anew. */
import { Coalesced, type Disposes, Paced, treePause } from '../events.ts';
import type { Extent } from './shown-elements.ts';

/** Milliseconds between two looks at the figures of rows, and of rows with others below them. */
const pauses = { rows: 1000, branches: 5000 };

/**
 * States are drawn at once. Figures that grow all the time (percent, elapsed seconds) are drawn once a second: with a row
 * the editor makes its buttons anew, and one that is just being pressed is gone before it is let go. With what is below
 * them even less often: for a moment the editor has no name for any of those rows.
 */
export class Redraws implements Disposes {
  readonly #draw: (extent: Extent) => Promise<void>;
  readonly #soon = new Paced(treePause, () => {
    void this.#now();
  });
  readonly #later = new Coalesced(pauses.rows, () => {
    this.#soon.wish();
  });
  /** By `performance.now()`. */
  #rowsFrom = 0;
  #branchesFrom = 0;
  /** It takes several turns of the event loop when there is much to look at. */
  #isDrawing = false;
  #isDisposed = false;
  #isWishedMeanwhile = false;

  constructor(draw: (extent: Extent) => Promise<void>) {
    this.#draw = draw;
  }

  wish(): void {
    this.#soon.wish();
  }

  /** Whether nothing is to be drawn any more. */
  hasEnded(): boolean {
    return this.#isDisposed;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#soon.dispose();
    this.#later.dispose();
  }

  async #now(): Promise<void> {
    if (this.#isDrawing) {
      this.#isWishedMeanwhile = true;
      return;
    }
    const now = performance.now();
    const extent = now < this.#rowsFrom ? 'states' : now < this.#branchesFrom ? 'rows' : 'everything';
    if (extent !== 'states') this.#rowsFrom = now + pauses.rows;
    if (extent === 'everything') this.#branchesFrom = now + pauses.branches;
    else this.#later.wish();
    this.#isDrawing = true;
    try {
      await this.#draw(extent);
    } finally {
      this.#isDrawing = false;
      if (this.#isWishedMeanwhile && !this.#isDisposed) this.#soon.wish();
      this.#isWishedMeanwhile = false;
    }
  }
}
