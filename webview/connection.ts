/**
 * A page's line to the extension: requests that are answered by id, pushed messages to subscribe to, and what a page
 * keeps over a reload.
 */
import type { PageAction, PageMethod, PageRequests, ToHost, ToPage } from './messages.ts';

/** What `acquireVsCodeApi()` gives. */
export interface Host {
  postMessage(message: ToHost): void;
  getState(): unknown;
  setState(state: unknown): void;
}

/** Messages that nobody asked for. */
export type Pushed = Exclude<ToPage, { readonly type: 'result' | 'error' }>;
export type PushedMessage<Type extends Pushed['type']> = Extract<Pushed, { readonly type: Type }>;

/** A request that was refused, or that nobody answered (`timeout`). `message` is for people. */
export class RequestError extends Error {
  /** As in the service's protocol, or `timeout`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
  }
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: RequestError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Loading a large project or counting millions of lines may take a while; nothing takes longer than this. */
const patience = 60_000;

export class Connection {
  readonly #host: Host;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<Pushed['type'], Set<(message: never) => void>>();
  #lastId = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Asks; rejects with a {@link RequestError}. */
  request<Method extends PageMethod>(
    method: Method,
    params: PageRequests[Method]['params'],
  ): Promise<PageRequests[Method]['result']> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(
          new RequestError(
            'timeout',
            `No answer came within ${String(patience / 1000)} seconds. Try again; the log of Millrace says what it does.`,
          ),
        );
      }, patience);
      this.#waiting.set(id, {
        // What arrives is what the method says: both sides are built from one interface.
        resolve: result => {
          resolve(result as PageRequests[Method]['result']);
        },
        reject,
        timer,
      });
      this.#host.postMessage({ type: 'request', id, method, params } as Extract<
        ToHost,
        { readonly type: 'request' }
      >);
    });
  }

  /** Asks the extension to do something. */
  act(action: PageAction): void {
    this.#host.postMessage({ type: 'action', action });
  }

  /** @returns what ends the subscription */
  on<Type extends Pushed['type']>(type: Type, listener: (message: PushedMessage<Type>) => void): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  /** For the log: something that nobody expected. */
  fault(error: unknown): void {
    const stack = error instanceof Error ? error.stack : undefined;
    this.#host.postMessage({ type: 'fault', message: stack ?? messageOf(error) });
  }

  ready(subject: Extract<ToHost, { readonly type: 'ready' }>['subject']): void {
    this.#host.postMessage({ type: 'ready', subject });
  }

  /** What the page gave to {@link keep} before it was loaded again; `{}` when nothing. */
  kept(): Readonly<Record<string, unknown>> {
    const state = this.#host.getState();
    return isRecord(state) ? state : {};
  }

  /** Keeps a value by name over a reload; `undefined` forgets it. */
  keep(name: string, value: unknown): void {
    const { [name]: _before, ...others } = this.kept();
    this.#host.setState(value === undefined ? others : { ...others, [name]: value });
  }

  /** Takes what arrived at the window. Whatever is not one of our messages is left alone. */
  receive(data: unknown): void {
    const message = toPageMessage(data);
    if (message === null) return;
    if (message.type === 'result' || message.type === 'error') {
      const waiting = this.#waiting.get(message.id);
      // An answer after the time-out, or for the page before a reload.
      if (waiting === undefined) return;
      this.#waiting.delete(message.id);
      clearTimeout(waiting.timer);
      if (message.type === 'result') waiting.resolve(message.result);
      else waiting.reject(new RequestError(message.code, message.message));
      return;
    }
    for (const listener of [...(this.#listeners.get(message.type) ?? [])])
      try {
        listener(message as never);
      } catch (error) {
        this.fault(error);
      }
  }
}

/** What was thrown, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error);
}

/** What must hold for a message to be taken as ours; deeper parts are made by the same build. */
export function toPageMessage(data: unknown): ToPage | null {
  if (!isRecord(data)) return null;
  const has = (name: string, type: string): boolean => data[name] !== null && typeof data[name] === type;
  const isOurs = (): boolean => {
    switch (data['type']) {
      case 'open':
        return (
          isRecord(data['subject']) &&
          typeof data['subject']['page'] === 'string' &&
          has('trusted', 'boolean') &&
          isRecord(data['store'])
        );
      case 'result':
        return has('id', 'number');
      case 'error':
        return has('id', 'number') && has('message', 'string') && has('code', 'string');
      case 'store':
        return isRecord(data['state']) && typeof data['state']['kind'] === 'string';
      case 'graph':
        return true;
      case 'runs':
        return Array.isArray(data['changed']);
      case 'run':
        return (
          isRecord(data['run']) &&
          isRecord(data['progress']) &&
          ['nodeRuns', 'statistics', 'criticalPath'].every(name => Array.isArray(data[name]))
        );
      case 'output':
        return has('view', 'number') && isRecord(data['extent']);
      default:
        return false;
    }
  };
  return isOurs() ? (data as unknown as ToPage) : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
