/**
 * What the editor shows of a tree, and what of it looks different by now. It knows elements by their identity, and while
 * it asks for one anew it knows nothing of those below: a button that is pressed meanwhile has lost its row. So it is told
 * of what has changed and of nothing else.
 */

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
  /** Of the root when no element is given. */
  childrenOf(element: Element | undefined): readonly Element[];
}

interface Shown<Element> {
  readonly element: Element;
  /** `undefined` while it is not drawn. */
  item: Drawn | undefined;
  children: string | undefined;
}

export class ShownElements<Element extends object> {
  readonly #look: TreeLook<Element>;
  readonly #known = new Map<string, Shown<Element>>();
  #roots: string | undefined;

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
    const keys = this.#keys(children);
    if (element === undefined) this.#roots = keys;
    else this.#shown(element).children = keys;
  }

  /**
   * Elements that are to be drawn anew; `undefined` for the whole tree. What is gone is forgotten.
   *
   * @param extent Whether those are told of which nothing but the figures have changed.
   */
  changes(extent: Extent = 'everything'): readonly Element[] | undefined {
    const changed: Element[] = [];
    for (const [key, { element, item, children }] of this.#known) {
      const drawn = this.#look.drawnOf(element);
      if (drawn === undefined) {
        this.#known.delete(key);
        continue;
      }
      const isBranch = children !== undefined && children !== '';
      const figuresCount = extent === 'everything' || (extent === 'rows' && !isBranch);
      const isDifferent =
        (item !== undefined &&
          (drawn.state !== item.state || (figuresCount && drawn.figures !== item.figures))) ||
        (children !== undefined && this.#keys(this.#look.childrenOf(element)) !== children);
      if (isDifferent) changed.push(element);
    }
    const isOther = this.#roots !== undefined && this.#keys(this.#look.childrenOf(undefined)) !== this.#roots;
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

  #keys(elements: readonly Element[]): string {
    return elements.map(element => this.#look.keyOf(element)).join('\n');
  }
}
