/**
 * What the editor shows of a tree, and what of it looks different by now. It knows elements by their identity, and while
 * it asks for one anew it knows nothing of those below: a button that is pressed meanwhile has lost its row. So it is told
 * of what has changed and of nothing else.
 */

import { Slices } from '../turns.ts';

/** What a row shows, to be compared with what it showed before. */
export interface Drawn {
  /** Label, icon, what can be done with it. */
  readonly state: string;
  /** What changes all the time while something goes on. */
  readonly figures: string;
}

/** Which figures count: none, those of rows without others below them, or all. */
export type Extent = 'states' | 'rows' | 'everything';

/** How to look at a tree; elements of the same key are the same one. */
export interface TreeLook<Element> {
  keyOf(element: Element): string;
  /** `undefined`: it is not there any more. */
  drawnOf(element: Element): Drawn | undefined;
  /** Of the root when no element is given; a promise where that takes time. */
  childrenOf(element: Element | undefined): readonly Element[] | Promise<readonly Element[]>;
}

interface Shown<Element> {
  readonly element: Element;
  /** `undefined` while it is not drawn. */
  item: Drawn | undefined;
  children: readonly Element[] | undefined;
}

export class ShownElements<Element extends object> {
  readonly #look: TreeLook<Element>;
  readonly #known = new Map<string, Shown<Element>>();
  #roots: readonly Element[] | undefined;

  constructor(look: TreeLook<Element>) {
    this.#look = look;
  }

  /** The one object that stands for an element. */
  same(element: Element): Element {
    return this.#shown(element).element;
  }

  /** The editor draws an element. */
  drawn(element: Element): void {
    this.#shown(element).item = this.#look.drawnOf(element);
  }

  /** The editor draws what is below an element, or at the top. */
  opened(element: Element | undefined, children: readonly Element[]): void {
    if (element === undefined) this.#roots = children;
    else this.#shown(element).children = children;
  }

  /**
   * Elements that are to be drawn anew; `undefined` for the whole tree. What is gone is forgotten. Many elements are
   * looked at in several turns of the event loop.
   *
   * @param extent Whether those are told of which nothing but the figures have changed.
   */
  async changes(extent: Extent = 'everything'): Promise<readonly Element[] | undefined> {
    const changed: Element[] = [];
    const slices = new Slices();
    for (const [key, shown] of this.#known) {
      if (slices.isOver) await slices.next();
      const { element, item, children } = shown;
      const drawn = this.#look.drawnOf(element);
      if (drawn === undefined) {
        this.#known.delete(key);
        continue;
      }
      const isBranch = children !== undefined && children.length > 0;
      const figuresCount = extent === 'everything' || (extent === 'rows' && !isBranch);
      let isDifferent: boolean | Promise<boolean> =
        (item !== undefined &&
          (drawn.state !== item.state || (figuresCount && drawn.figures !== item.figures))) ||
        (children !== undefined && this.#hasOther(element, children));
      // Most answers are there: thousands of them are not to be waited for.
      if (isDifferent instanceof Promise) isDifferent = await isDifferent;
      if (isDifferent) changed.push(element);
    }
    const isOther = this.#roots !== undefined && (await this.#hasOther(undefined, this.#roots));
    return isOther ? undefined : changed;
  }

  #shown(element: Element): Shown<Element> {
    const key = this.#look.keyOf(element);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const shown = { element, item: undefined, children: undefined };
    this.#known.set(key, shown);
    return shown;
  }

  /** Whether other elements are below one than those that were drawn there. */
  #hasOther(element: Element | undefined, drawn: readonly Element[]): boolean | Promise<boolean> {
    const found = this.#look.childrenOf(element);
    return found instanceof Promise ? found.then(now => !isSame(now, drawn)) : !isSame(found, drawn);
  }
}

function isSame<Element>(a: readonly Element[], b: readonly Element[]): boolean {
  return a === b || (a.length === b.length && a.every((element, index) => element === b[index]));
}
