/** The views on output that pages have open, and the connection that they share. */
import type { Client } from 'pg';
import type { OutputExtent, OutputQuery } from '../records.ts';
import { endQuietly } from '../store/connection.ts';
import { READ_LINES_IN_ORDER } from '../store/output-lines.ts';
import type { ChangeNotice } from '../store/run-lock.ts';
import type { Store } from '../store/store.ts';
import { OutputView, type OutputSource } from './output-view.ts';

export interface OutputViewsOptions {
  readonly store: () => Promise<Store>;
  readonly onExtent: (view: number, extent: OutputExtent) => void;
  readonly onFailure: (error: unknown) => void;
}

export class OutputViews implements OutputSource {
  readonly #options: OutputViewsOptions;
  readonly #views = new Map<number, OutputView>();
  #shared: { readonly store: Store; readonly client: Promise<Client> } | null = null;
  #nextId = 1;

  constructor(options: OutputViewsOptions) {
    this.#options = options;
  }

  /** Memory that the indexes of all views take. */
  get bytes(): number {
    return [...this.#views.values()].reduce((sum, view) => sum + view.bytes, 0);
  }

  async open(query: OutputQuery): Promise<{ view: number; extent: OutputExtent }> {
    const id = this.#nextId++;
    const view = new OutputView(id, query, this, {
      onExtent: extent => {
        // The first one is the answer.
        if (isOpen) this.#options.onExtent(id, extent);
      },
      onFailure: this.#options.onFailure,
    });
    let isOpen = false;
    this.#views.set(id, view);
    try {
      await view.open();
    } catch (error) {
      this.close(id);
      throw error;
    }
    isOpen = true;
    return { view: id, extent: view.extent };
  }

  /** `undefined`: it was closed. */
  get(id: number): OutputView | undefined {
    return this.#views.get(id);
  }

  close(id: number): void {
    this.#views.get(id)?.close();
    this.#views.delete(id);
    if (this.#views.size === 0) this.#endShared();
  }

  closeAll(): void {
    for (const id of [...this.#views.keys()]) this.close(id);
    this.#endShared();
  }

  onChange(notice: ChangeNotice): void {
    for (const view of this.#views.values()) view.onChange(notice);
  }

  onReconnect(): void {
    for (const view of this.#views.values()) view.onReconnect();
  }

  async connect(): Promise<Client> {
    return await connectForOutput(await this.#options.store());
  }

  async shared<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const store = await this.#options.store();
    if (this.#shared?.store !== store) {
      this.#endShared();
      const client = connectForOutput(store);
      const shared = { store, client };
      this.#shared = shared;
      const forget = (): void => {
        if (this.#shared === shared) this.#shared = null;
      };
      client.then(connected => connected.once('end', forget), forget);
    }
    return await work(await this.#shared.client);
  }

  #endShared(): void {
    const shared = this.#shared;
    this.#shared = null;
    void shared?.client.then(endQuietly, () => undefined); // it never was connected
  }
}

async function connectForOutput(store: Store): Promise<Client> {
  const client = await store.connect();
  try {
    await client.query(READ_LINES_IN_ORDER);
    return client;
  } catch (error) {
    await endQuietly(client);
    throw error;
  }
}
