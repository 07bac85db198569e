/**
 * The tasks that could start, best first. Each pipeline with a limit is a group with a heap of its own, which holds its
 * ready tasks and the groups inside it; a group stands in the heap around it with its best task, and only while it has
 * one and its limit allows another. So the best task that no limit holds back is at the top, and starting, adding,
 * removing or freeing one costs O(depth × log n), however many tasks are held back.
 */

/** Something that can stand in a heap; the heap keeps its place there. */
interface HeapEntry {
  /** -1 while it is in no heap. */
  heapIndex: number;
}

/** A task in the queue. */
export interface QueueItem<T extends QueueItem<T>> extends HeapEntry {
  /** The innermost group that the task counts in. */
  readonly group: Group<T>;
}

/** A binary heap that can remove any entry. */
class Heap<E extends HeapEntry> {
  readonly #entries: E[] = [];
  readonly #isBefore: (left: E, right: E) => boolean;

  constructor(isBefore: (left: E, right: E) => boolean) {
    this.#isBefore = isBefore;
  }

  get top(): E | undefined {
    return this.#entries[0];
  }

  add(entry: E): void {
    entry.heapIndex = this.#entries.length;
    this.#entries.push(entry);
    this.#rise(entry);
  }

  remove(entry: E): void {
    const last = this.#entries.pop();
    if (last !== undefined && last !== entry) {
      this.#put(last, entry.heapIndex);
      this.update(last);
    }
    entry.heapIndex = -1;
  }

  /** Puts an entry where it belongs after its rank has changed. */
  update(entry: E): void {
    this.#rise(entry);
    this.#sink(entry);
  }

  #put(entry: E, index: number): void {
    this.#entries[index] = entry;
    entry.heapIndex = index;
  }

  #rise(entry: E): void {
    let index = entry.heapIndex;
    while (index > 0) {
      const above = this.#entries[(index - 1) >> 1];
      if (above === undefined || !this.#isBefore(entry, above)) break;
      const next = above.heapIndex;
      this.#put(above, index);
      index = next;
    }
    this.#put(entry, index);
  }

  #sink(entry: E): void {
    let index = entry.heapIndex;
    for (;;) {
      const left = this.#entries[2 * index + 1];
      const right = this.#entries[2 * index + 2];
      const best = left !== undefined && right !== undefined && this.#isBefore(right, left) ? right : left;
      if (best === undefined || !this.#isBefore(best, entry)) break;
      const next = best.heapIndex;
      this.#put(best, index);
      index = next;
    }
    this.#put(entry, index);
  }
}

/** Tasks that share a limit, with the groups inside. */
export class Group<T extends QueueItem<T>> implements HeapEntry {
  heapIndex = -1;
  /** The best task that may start now. */
  leader: T | null = null;
  readonly #parent: Group<T> | null;
  readonly #heap: Heap<T | Group<T>>;
  readonly #compare: (left: T, right: T) => number;
  #limit: number;
  #running = 0;

  /** `compare` is negative when `left` goes first; it must be a total order. */
  constructor(parent: Group<T> | null, limit: number, compare: (left: T, right: T) => number) {
    this.#parent = parent;
    this.#limit = limit;
    this.#compare = compare;
    this.#heap = new Heap((left, right) => {
      const a = left instanceof Group ? left.leader : left;
      const b = right instanceof Group ? right.leader : right;
      return a !== null && (b === null || compare(a, b) < 0);
    });
  }

  /** A group inside this one. */
  subgroup(limit: number): Group<T> {
    return new Group(this, limit, this.#compare);
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#settle();
  }

  add(item: T): void {
    this.#heap.add(item);
    this.#settle();
  }

  remove(item: T): void {
    this.#heap.remove(item);
    this.#settle();
  }

  /** Takes the best task that may start, here or in a group inside, and counts it as running; `null` when none may. */
  take(): T | null {
    const item = this.leader;
    if (item === null) return null;
    item.group.#heap.remove(item);
    item.group.#count(1);
    return item;
  }

  /** A running task of this group has ended. */
  free(): void {
    this.#count(-1);
  }

  #count(change: 1 | -1): void {
    this.#running += change;
    this.#stand();
    if (this.#parent !== null) this.#parent.#count(change);
  }

  #settle(): void {
    this.#stand();
    if (this.#parent !== null) this.#parent.#settle();
  }

  /** Brings the leader, and the place in the group around, up to date. */
  #stand(): void {
    const top = this.#running < this.#limit ? this.#heap.top : undefined;
    const leader = top === undefined ? null : top instanceof Group ? top.leader : top;
    if (leader === this.leader) return;
    this.leader = leader;
    if (this.#parent === null) return;
    const around = this.#parent.#heap;
    if (leader === null) around.remove(this);
    else if (this.heapIndex < 0) around.add(this);
    else around.update(this);
  }
}
