/** A view on output: its lines by their index, in the order of time, for as many lines as a run may write. */
import type { Client } from 'pg';
import type { OutputExtent, OutputQuery, OutputRecord } from '../records.ts';
import {
  attemptsInScope,
  readLineTimes,
  readStretches,
  searchStretches,
  withMoreLines,
  type LinesAfter,
  type OutputAttempt,
  type Stretch,
} from '../store/output-lines.ts';
import { nodeRunIds } from '../store/rows.ts';
import type { ChangeNotice } from '../store/run-lock.ts';
import { mergeLines, type LineReader, type LineSource } from './merge-lines.ts';
import { OutputIndex } from './output-index.ts';

/** How a view gets at the store. */
export interface OutputSource {
  /** Does something with the connection that all views share. */
  shared<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** A connection of its own that reads lines in order; the caller ends it. */
  connect(): Promise<Client>;
}

/** Milliseconds between two pictures of how many lines there are. */
const PERIOD = 80;
/** So many lines are a first answer; the rest is counted meanwhile. */
const FIRST_LINES = 2_000;
/** Lines that one call reads at most. */
const MAX_PAGE = 10_000;
/** A search looks at so many lines in one go, and comes back after so many milliseconds. */
const SEARCH_SLICE = 20_000;
const SEARCH_TIME = 200;

interface ViewedAttempt extends OutputAttempt, LineSource {}

export class OutputView {
  readonly id: number;
  readonly query: OutputQuery;
  readonly #source: OutputSource;
  readonly #onExtent: (extent: OutputExtent) => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #index = new OutputIndex();
  readonly #attempts: ViewedAttempt[] = [];
  readonly #byId = new Map<number, ViewedAttempt>();
  #newest: number;
  #complete = false;
  #closed = false;
  /** What has changed since it was looked at; `all`: anything may have. */
  #changed: Set<number> | 'all' = new Set();
  #timer: NodeJS.Timeout | undefined;
  /** When it may be looked again, by `performance.now()`. */
  #next = 0;
  #working: Promise<void> | null = null;
  #toldAt = 0;
  #told = '';
  /** Resolved with every picture of the extent. */
  #progress = Promise.withResolvers<void>();

  constructor(
    id: number,
    query: OutputQuery,
    source: OutputSource,
    handlers: {
      readonly onExtent: (extent: OutputExtent) => void;
      readonly onFailure: (error: unknown) => void;
    },
  ) {
    this.id = id;
    this.query = query;
    this.#source = source;
    this.#onExtent = handlers.onExtent;
    this.#onFailure = handlers.onFailure;
    this.#newest = nodeRunIds(query.runId).first;
  }

  get extent(): OutputExtent {
    const { lines, errors } = this.#index;
    return { lines, errors: this.query.errorsOnly === true ? lines : errors, complete: this.#complete };
  }

  /** Memory that the index takes. */
  get bytes(): number {
    return this.#index.bytes;
  }

  /** Begins to count; resolves when there is a first page or nothing more. */
  async open(): Promise<OutputExtent> {
    const counted = this.#count();
    this.#working = counted.finally(() => {
      this.#working = null;
      this.#schedule();
    });
    this.#working.catch(() => undefined); // told below, or by onFailure
    let isOpen = false;
    counted.catch((error: unknown) => {
      // Gone on with when the store is back.
      this.#changed = 'all';
      if (isOpen) this.#onFailure(error);
    });
    while (!this.#complete && !this.#closed && this.#index.lines < FIRST_LINES)
      await Promise.race([counted, this.#progress.promise]);
    isOpen = true;
    return this.extent;
  }

  /** Frees what it holds; what is being read for it is dropped. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#progress.resolve();
  }

  /** A run has changed. */
  onChange({ run, changed, nodeRuns }: ChangeNotice): void {
    if (run !== this.query.runId) return;
    if (changed.includes('run') || (changed.includes('output') && nodeRuns === undefined))
      this.#changed = 'all';
    else if (changed.includes('output') && this.#changed !== 'all')
      for (const id of nodeRuns ?? []) this.#changed.add(id);
    this.#schedule();
  }

  /** Anything may have changed: the store was away. */
  onReconnect(): void {
    this.#changed = 'all';
    this.#schedule();
  }

  async read(from: number, count: number): Promise<OutputRecord[]> {
    const stretches = this.#stretches(from, Math.min(count, MAX_PAGE));
    const lines = await this.#source.shared(client => readStretches(client, stretches));
    return lines.map(({ nodeRunId, at, ...line }) => {
      const attempt = this.#byId.get(nodeRunId);
      return {
        nodeRunId,
        nodePath: attempt?.nodePath ?? [],
        attempt: attempt?.attempt ?? 1,
        ...line,
        at: at.getTime(),
      };
    });
  }

  /** Indexes of lines with a text; comes back after a moment, whether it is through or not. */
  async search(
    text: string,
    from: number,
    limit: number,
  ): Promise<{ indexes: number[]; next: number | null }> {
    const end = performance.now() + SEARCH_TIME;
    const indexes: number[] = [];
    let at = Math.max(0, from);
    if (text === '') return { indexes, next: null };
    while (at < this.#index.lines) {
      const slice = this.#stretches(at, SEARCH_SLICE);
      const found = await this.#source.shared(client => searchStretches(client, slice, text));
      for (const offset of found) {
        if (indexes.length === limit) return { indexes, next: at + offset };
        indexes.push(at + offset);
      }
      at = Math.min(at + SEARCH_SLICE, this.#index.lines);
      if (performance.now() > end) break;
    }
    return { indexes, next: at < this.#index.lines || !this.#complete ? at : null };
  }

  /** The first error line at an index or behind it, or the last one at it or before; waits for what is not counted yet. */
  async findError(from: number, direction: 'next' | 'previous'): Promise<number | null> {
    for (;;) {
      const found =
        direction === 'next'
          ? this.#nextError(from - 1)
          : this.#previousError(Math.min(from, this.#index.lines) + 1);
      if (found !== null || this.#complete || this.#closed || direction === 'previous') return found;
      await this.#progress.promise;
    }
  }

  #nextError(from: number): number | null {
    if (this.query.errorsOnly !== true) return this.#index.nextError(from);
    const next = Math.max(0, from + 1);
    return next < this.#index.lines ? next : null;
  }

  #previousError(from: number): number | null {
    if (this.query.errorsOnly !== true) return this.#index.previousError(from);
    const previous = Math.min(from, this.#index.lines) - 1;
    return previous >= 0 ? previous : null;
  }

  #stretches(from: number, count: number): Stretch[] {
    return this.#index.stretches(from, count).map(({ attempt, ...lines }) => ({
      ...lines,
      nodeRunId: this.#attempts[attempt]?.nodeRunId ?? 0,
    }));
  }

  /** Everything that is stored by now. */
  async #count(): Promise<void> {
    const client = await this.#source.connect();
    try {
      await this.#takeUpAttempts(client);
      await this.#merge(client, [...this.#attempts]);
    } finally {
      await client.end().catch(() => undefined); // it may be what was lost
    }
    this.#index.trim();
    this.#complete = true;
    this.#tell(true);
  }

  /** What has come since. */
  async #extend(): Promise<void> {
    const changed = this.#changed;
    this.#changed = new Set();
    await this.#source.shared(async client => {
      if (changed === 'all' || [...changed].some(id => !this.#byId.has(id)))
        await this.#takeUpAttempts(client);
      const candidates: readonly (ViewedAttempt | undefined)[] =
        changed === 'all' ? this.#attempts : [...changed].map(id => this.#byId.get(id));
      const known = candidates.filter(attempt => attempt !== undefined);
      const more = changed === 'all' ? await withMoreLines(client, known.map(afterRead)) : known;
      const sources = more.flatMap(({ nodeRunId }) => this.#byId.get(nodeRunId) ?? []);
      await this.#merge(
        client,
        sources.sort((a, b) => a.startedAt - b.startedAt || a.number - b.number),
      );
    });
    this.#complete = true;
    this.#tell(true);
  }

  #schedule(): void {
    const isIdle = this.#changed !== 'all' && this.#changed.size === 0;
    if (isIdle || this.#closed || this.#working !== null || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const before = this.#changed;
        this.#working = this.#extend()
          .catch((error: unknown) => {
            // Looked at again when the store is back.
            this.#changed = before === 'all' || this.#changed === 'all' ? 'all' : before.union(this.#changed);
            this.#onFailure(error);
            return 'failed';
          })
          .then(outcome => {
            this.#working = null;
            this.#next = performance.now() + PERIOD;
            if (outcome !== 'failed') this.#schedule();
          });
      },
      Math.max(0, this.#next - performance.now()),
    );
  }

  async #takeUpAttempts(client: Client): Promise<void> {
    const { runId, path, nodeRunId } = this.query;
    const scope = {
      runId,
      ...(path !== undefined && { path }),
      ...(nodeRunId !== undefined && { nodeRunId }),
    };
    for (const found of await attemptsInScope(client, scope, this.#newest)) {
      const attempt = { ...found, number: this.#attempts.length, read: 0 };
      this.#attempts.push(attempt);
      this.#byId.set(attempt.nodeRunId, attempt);
    }
    for (const id of this.#byId.keys()) this.#newest = Math.max(this.#newest, id);
  }

  async #merge(client: Client, sources: readonly ViewedAttempt[]): Promise<void> {
    const errorsOnly = this.query.errorsOnly === true;
    const reader: LineReader = {
      read: async (wanted, limit) => {
        const attempts = wanted.flatMap(({ number }) => this.#attempts[number] ?? []);
        const pages = await readLineTimes(client, attempts.map(afterRead), { limit, errorsOnly });
        return new Map(
          attempts.flatMap(({ nodeRunId, number }) => {
            const page = pages.get(nodeRunId);
            return page === undefined ? [] : [[number, page]];
          }),
        );
      },
    };
    await mergeLines(
      sources,
      reader,
      (number, seq, isError) => {
        this.#index.append(number, seq, isError);
      },
      () => {
        this.#tell(false);
        return Promise.resolve(!this.#closed);
      },
    );
  }

  /** @param now also when little time has passed. */
  #tell(now: boolean): void {
    const time = performance.now();
    if (this.#closed || (!now && time - this.#toldAt < PERIOD && this.#index.lines > FIRST_LINES)) return;
    const { extent } = this;
    const text = JSON.stringify(extent);
    if (text === this.#told) return;
    this.#toldAt = time;
    this.#told = text;
    const told = this.#progress;
    this.#progress = Promise.withResolvers();
    told.resolve();
    this.#onExtent(extent);
  }
}

function afterRead({ nodeRunId, read }: ViewedAttempt): LinesAfter {
  return { nodeRunId, seq: read };
}
