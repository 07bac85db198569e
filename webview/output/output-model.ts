/** One view on output as a page holds it: its extent, the lines around what is shown, and a search through it. */
import type { OutputExtent, OutputQuery, OutputRecord } from '../../runner/records.ts';
import { type Connection, RequestError } from '../connection.ts';
import { LineCache, type LineRange } from './line-cache.ts';
import { OutputSearch } from './search.ts';

export type OutputState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'open' }
  /** What has been read stays. */
  | { readonly kind: 'failed'; readonly message: string; readonly code: string };

const NOTHING: OutputExtent = { lines: 0, errors: 0, complete: false };
/** Requests at a time: what a scroll has passed by need not be read. */
const MAX_READS = 2;

export class OutputModel {
  readonly query: OutputQuery;
  readonly search: OutputSearch;
  readonly #connection: Connection;
  readonly #cache = new LineCache();
  readonly #listeners = new Set<() => void>();
  readonly #reading = new Set<number>();
  readonly #ends: (() => void)[] = [];
  /** Told before the answer to `openOutput` said which view it is. */
  readonly #early = new Map<number, OutputExtent>();
  #state: OutputState = { kind: 'opening' };
  #extent = NOTHING;
  #view: number | null = null;
  /** What is shown now, and so has to be there. */
  #wanted: { readonly from: number; readonly to: number } = { from: 0, to: 0 };
  #life = 0;
  #isAnnounced = false;

  constructor(connection: Connection, query: OutputQuery) {
    this.#connection = connection;
    this.query = query;
    this.search = new OutputSearch(
      (text, from) => this.#connection.request('searchOutput', { view: this.#openView(), text, from }),
      () => {
        this.#announce();
      },
      error => {
        this.#fail(error, this.#life);
      },
    );
  }

  get state(): OutputState {
    return this.#state;
  }

  get extent(): OutputExtent {
    return this.#extent;
  }

  /** How many lines are held. */
  get held(): number {
    return this.#cache.size;
  }

  line(index: number): OutputRecord | undefined {
    return this.#cache.get(index);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Opens the view; until {@link close} it follows what is told about it. */
  open(): void {
    this.#ends.push(
      this.#connection.on('output', ({ view, extent }) => {
        if (this.#view === null) this.#early.set(view, extent);
        else if (view === this.#view) this.#grow(extent);
      }),
      this.#connection.on('store', ({ state }) => {
        if (state.kind === 'ready' && this.#state.kind === 'failed') this.reopen();
      }),
    );
    this.#ask();
  }

  /** Opens the view again after it failed. */
  reopen(): void {
    this.#leave();
    this.#ask();
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
    this.search.stop();
    this.#leave();
    this.#listeners.clear();
  }

  /** Says which lines are shown; those that are missing are read. */
  want(from: number, to: number): void {
    this.#wanted = { from: Math.max(0, from), to: Math.min(to, this.#extent.lines) };
    this.#read();
  }

  /** Index of the next or previous error line, or null. */
  async findError(from: number, direction: 'next' | 'previous'): Promise<number | null> {
    if (this.#view === null) return null;
    const life = this.#life;
    try {
      const found = await this.#connection.request('findError', { view: this.#view, from, direction });
      return life === this.#life ? (found?.index ?? null) : null;
    } catch (error) {
      this.#fail(error, life);
      return null;
    }
  }

  /** The first lines as text, at most `limit`. */
  async text(limit: number): Promise<string> {
    const view = this.#openView();
    const messages: string[] = [];
    while (messages.length < Math.min(limit, this.#extent.lines)) {
      const lines = await this.#connection.request('readOutput', {
        view,
        from: messages.length,
        count: Math.min(5000, limit - messages.length),
      });
      if (lines.length === 0) break;
      for (const line of lines) messages.push(line.message);
    }
    return messages.join('\n');
  }

  #openView(): number {
    if (this.#view === null) throw new RequestError('notFound', 'The output is not open.');
    return this.#view;
  }

  #ask(): void {
    const life = ++this.#life;
    this.#state = { kind: 'opening' };
    this.#announce();
    this.#connection.request('openOutput', this.query).then(
      ({ view, extent }) => {
        if (life !== this.#life) {
          this.#closeView(view);
          return;
        }
        this.#view = view;
        this.#state = { kind: 'open' };
        this.#cache.clear();
        const newest = this.#early.get(view) ?? extent;
        this.#early.clear();
        this.#extent = newest.lines >= extent.lines ? newest : extent;
        this.search.reset(this.#extent.lines);
        this.#announce();
        this.#read();
      },
      (error: unknown) => {
        this.#fail(error, life);
      },
    );
  }

  #leave(): void {
    this.#life += 1;
    if (this.#view !== null) this.#closeView(this.#view);
    this.#view = null;
    this.#reading.clear();
  }

  #closeView(view: number): void {
    // Without a service there is nothing to close.
    this.#connection.request('closeOutput', { view }).catch(() => null);
  }

  #grow(extent: OutputExtent): void {
    this.#extent = extent;
    this.search.grow(extent.lines);
    this.#announce();
  }

  #read(): void {
    if (this.#view === null || this.#state.kind !== 'open') return;
    const { from, to } = this.#wanted;
    const missing = this.#cache
      .missing(from, Math.min(to, this.#extent.lines))
      .filter(range => !this.#reading.has(range.from));
    for (const range of missing) {
      if (this.#reading.size >= MAX_READS) return;
      this.#readRange(this.#view, range);
    }
  }

  #readRange(view: number, { from, count }: LineRange): void {
    const life = this.#life;
    this.#reading.add(from);
    this.#connection.request('readOutput', { view, from, count }).then(
      lines => {
        if (life !== this.#life) return;
        this.#reading.delete(from);
        const isNew = this.#cache.add(from, lines);
        if (isNew) this.#announce();
        // An empty answer would be asked for again at once, and for ever.
        if (isNew || lines.length > 0) this.#read();
      },
      (error: unknown) => {
        this.#reading.delete(from);
        this.#fail(error, life);
      },
    );
  }

  #fail(error: unknown, life: number): void {
    if (life !== this.#life) return;
    const { message, code } =
      error instanceof RequestError ? error : { message: String(error), code: 'internal' };
    this.#state = { kind: 'failed', message, code };
    this.#announce();
  }

  /** Once per turn of the event loop, however much has changed. */
  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    queueMicrotask(() => {
      this.#isAnnounced = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}
