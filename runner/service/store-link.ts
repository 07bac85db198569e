/** The service's hold on the store: opened when it is first needed, found again when it was lost. */
import type { Client } from 'pg';
import { entryFile } from '../entry-files.ts';
import type { StoreState } from '../records.ts';
import { endQuietly } from '../store/connection.ts';
import { errorMessage, StoreError, type StoreErrorCode } from '../store/errors.ts';
import { closeLostRuns, RETURN_GRACE } from '../store/liveness.ts';
import { openStore } from '../store/open.ts';
import { CHANGES_CHANNEL, type ChangeNotice } from '../store/run-lock.ts';
import type { Store } from '../store/store.ts';
import { tidyStore } from '../store/tidy.ts';
import { ProjectError } from './project-process.ts';
import type { StoreAddress } from './store-address.ts';

export interface StoreLinkOptions {
  readonly directory: string;
  /** The configured URL, if any; asked at every opening. */
  readonly address: () => Promise<StoreAddress | undefined>;
  readonly onState: (state: StoreState) => void;
  /** The store is open, for the first time or again. */
  readonly onReady: (store: Store) => void;
  readonly onNotice: (notice: ChangeNotice) => void;
  readonly log: (message: string) => void;
}

/** Milliseconds between attempts to reach the store: doubled from the first to the last. */
const FIRST_RETRY = 1_000;
const LAST_RETRY = 30_000;
/** Milliseconds between looks for runs whose runner died, with and without runs that go on. */
const LOOK_AFTER_RUNNING = 2_000;
const LOOK_OTHERWISE = 60_000;
/** Milliseconds after the store's return in which no run counts as lost: its runner may be away still. */
const GRACE = RETURN_GRACE * 1_000;
/** A server that answers nothing for so long counts as lost. */
const ANSWER_WITHIN = 20_000;

/** What time may mend; everything else needs somebody to correct something. */
const PASSING: ReadonlySet<StoreErrorCode> = new Set<StoreErrorCode>([
  'refused',
  'unknown-host',
  'unreachable',
  'too-many-connections',
  'server-failed',
]);

interface OpenLink {
  readonly store: Store;
  readonly listener: Client;
}

export class StoreLink {
  readonly #options: StoreLinkOptions;
  #state: StoreState = { kind: 'closed' };
  #link: OpenLink | null = null;
  #opening: Promise<void> | null = null;
  #retry: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #tidying: NodeJS.Timeout | undefined;
  /** When runs may be taken for lost again, by `performance.now()`; `null`: the store is away. */
  #graceEnds: number | null = 0;
  #pause = FIRST_RETRY;
  #closed = false;
  /** Whether runs are known to go on: then their runners are looked after more often. */
  hasRunning = false;

  constructor(options: StoreLinkOptions) {
    this.#options = options;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Opens the store unless it is open; gives how it stands then. Never rejects. */
  async connect(): Promise<StoreState> {
    await this.#ensureOpen();
    return this.#state;
  }

  /**
   * The open store.
   *
   * @throws {StoreError} when it cannot be reached; it is then tried again in the background.
   */
  async use(): Promise<Store> {
    // While it is tried again in the background, requests are not kept waiting.
    if (this.#state.kind === 'closed' || this.#state.kind === 'connecting') await this.#ensureOpen();
    if (this.#link !== null) return this.#link.store;
    const message = this.#state.kind === 'unreachable' ? this.#state.message : 'The store is closed.';
    throw new StoreError('unreachable', message);
  }

  /** Looks for runs whose runner died now and not in a while. */
  lookSoon(): void {
    if (this.#link !== null) this.#scheduleLook(this.#link, LOOK_AFTER_RUNNING);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#look);
    clearTimeout(this.#tidying);
    const link = this.#link;
    this.#link = null;
    if (link !== null) await endLink(link);
  }

  async #ensureOpen(): Promise<void> {
    if (this.#link !== null || this.#closed) return;
    clearTimeout(this.#retry);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null;
    });
    await this.#opening;
  }

  async #open(): Promise<void> {
    this.#setState({ kind: 'connecting' });
    try {
      const { directory, address, log } = this.#options;
      const store = await openStore({
        projectDirectory: directory,
        ...(await address()),
        applicationName: 'millrace editor',
        keeper: { file: entryFile('keeper') },
      });
      const link = await this.#listen(store);
      if (this.#closed) {
        await endLink(link);
        return;
      }
      this.#link = link;
      this.#pause = FIRST_RETRY;
      this.#graceEnds ??= performance.now() + GRACE;
      this.#setState({ kind: 'ready', description: store.description });
      this.#options.onReady(store);
      this.#scheduleLook(link, LOOK_AFTER_RUNNING);
      // What others left behind is seen to beside what the editor asks for.
      this.#tidying = setTimeout(() => {
        tidyStore(store).then(
          messages => {
            messages.forEach(log);
          },
          (error: unknown) => {
            log(`The store could not be tidied up: ${errorMessage(error)}`);
          },
        );
      }, this.#grace);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #listen(store: Store): Promise<OpenLink> {
    try {
      const listener = await store.connect();
      const link = { store, listener };
      listener.on('notification', ({ channel, payload }) => {
        if (channel !== CHANGES_CHANNEL || payload === undefined) return;
        const notice = parseNotice(payload);
        if (notice !== null) this.#options.onNotice(notice);
      });
      listener.on('error', error => {
        this.#lose(link, error);
      });
      listener.on('end', () => {
        this.#lose(link, new Error('the connection was closed'));
      });
      await listener.query(`LISTEN ${CHANGES_CHANNEL}`);
      return link;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  #lose(link: OpenLink, error: Error): void {
    if (this.#link !== link) return;
    this.#link = null;
    this.#graceEnds = null;
    clearTimeout(this.#look);
    clearTimeout(this.#tidying);
    void endLink(link);
    const where = link.store.description;
    this.#setState({
      kind: 'unreachable',
      message: `The connection to the store (${where}) was lost. It is tried again.`,
      detail: error.message,
    });
    this.#retryLater();
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#graceEnds = null;
    const message = errorMessage(error).replaceAll(/\s*\n\s*/g, ' ');
    const cause = error instanceof Error ? error.cause : undefined;
    this.#setState({
      kind: 'unreachable',
      message,
      detail: cause === undefined ? message : errorMessage(cause),
    });
    // A project that cannot be loaded has to be corrected first; anything else may have passed by then.
    const isPassing =
      error instanceof StoreError ? PASSING.has(error.code) : !(error instanceof ProjectError);
    if (isPassing) this.#retryLater();
  }

  #retryLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#ensureOpen(), this.#pause);
    this.#pause = Math.min(LAST_RETRY, this.#pause * 2);
  }

  #scheduleLook(link: OpenLink, after: number): void {
    clearTimeout(this.#look);
    this.#look = setTimeout(
      () => {
        void this.#lookAfterRuns(link);
      },
      Math.max(after, this.#grace),
    );
  }

  get #grace(): number {
    return Math.max(0, (this.#graceEnds ?? 0) - performance.now());
  }

  /** Nobody else uses the connection, so that its transactions are its own. */
  async #lookAfterRuns(link: OpenLink): Promise<void> {
    const timer = setTimeout(() => {
      this.#lose(link, new Error(`no answer for ${String(ANSWER_WITHIN / 1000)} s`));
    }, ANSWER_WITHIN);
    try {
      await closeLostRuns(link.listener);
    } catch (error) {
      if (this.#link === link) this.#options.log(`Dead runs could not be looked for: ${errorMessage(error)}`);
    } finally {
      clearTimeout(timer);
    }
    if (this.#link === link) this.#scheduleLook(link, this.hasRunning ? LOOK_AFTER_RUNNING : LOOK_OTHERWISE);
  }

  #setState(state: StoreState): void {
    if (this.#closed) return;
    this.#state = state;
    this.#options.onState(state);
  }
}

async function endLink({ store, listener }: OpenLink): Promise<void> {
  await endQuietly(listener);
  await store.close().catch(() => undefined); // its connections are lost as well
}

/** `null` for what another program sent on the channel. */
function parseNotice(payload: string): ChangeNotice | null {
  try {
    const notice = JSON.parse(payload) as Partial<ChangeNotice> | null;
    if (typeof notice?.run !== 'number' || !Array.isArray(notice.changed)) return null;
    return { ...notice, run: notice.run, changed: notice.changed };
  } catch {
    return null;
  }
}
