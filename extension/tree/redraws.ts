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
  readonly #draw: (extent: Extent) => void;
  readonly #soon = new Paced(treePause, () => {
    this.#now();
  });
  readonly #later = new Coalesced(pauses.rows, () => {
    this.#soon.wish();
  });
  /** By `performance.now()`. */
  #rowsFrom = 0;
  #branchesFrom = 0;

  constructor(draw: (extent: Extent) => void) {
    this.#draw = draw;
  }

  wish(): void {
    this.#soon.wish();
  }

  dispose(): void {
    this.#soon.dispose();
    this.#later.dispose();
  }

  #now(): void {
    const now = performance.now();
    const extent = now < this.#rowsFrom ? 'states' : now < this.#branchesFrom ? 'rows' : 'everything';
    if (extent !== 'states') this.#rowsFrom = now + pauses.rows;
    if (extent === 'everything') this.#branchesFrom = now + pauses.branches;
    else this.#later.wish();
    this.#draw(extent);
  }
}
