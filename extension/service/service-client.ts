/** The editor's end of the line to the service process of a project (runner/service/protocol.ts). */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import {
  type FromService,
  PROTOCOL_VERSION,
  type ServiceErrorCode,
  type ServiceMethod,
  type ServiceOptions,
  type ServiceRequests,
  type ToService,
} from '../../runner/service/protocol.ts';
import { type Disposes, Emitter, type Log, messageOf } from '../events.ts';
import { t } from '../l10n.ts';
import type { ServiceState } from '../project/project-state.ts';
import { afterMicrotasks } from '../turns.ts';

/** What the service says without being asked. */
export type ServiceNews = Exclude<FromService, { readonly type: 'ready' | 'result' | 'error' }>;

/** A request that the service refused, or that nobody can answer. The message is for people. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ServiceErrorCode;

  constructor(code: ServiceErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface ServiceLaunch {
  readonly execPath: string;
  readonly dist: string;
  readonly env: Readonly<Record<string, string>>;
  readonly options: ServiceOptions;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ServiceError) => void;
}

interface Running {
  readonly child: ChildProcess;
  readonly waiting: Map<number, Waiting>;
  /** Fulfilled by the handshake. */
  readonly ready: PromiseWithResolvers<undefined>;
  /** What it has said and nobody has heard yet. */
  readonly inbox: FromService[];
  isReady: boolean;
  errors: string;
}

/** Milliseconds until the service is started again, after so many ends in a row. */
const usualPauses: readonly number[] = [250, 1000, 4000, 15_000];
/** A service that lasted so long has not failed to start. */
const lasted = 30_000;
const shutdownPatience = 5000;

/** Starts the service, starts it again when it ends, and asks it. */
export class ServiceClient implements Disposes {
  readonly #launch: () => Promise<ServiceLaunch>;
  readonly #log: Log;
  readonly #states: Emitter<ServiceState>;
  readonly #news: Emitter<ServiceNews>;
  readonly #pauses: readonly number[];
  #state: ServiceState = { kind: 'stopped' };
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  #lastId = 0;
  #failures = 0;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  /**
   * @param launch How to start it, asked at each start.
   * @param pauses Milliseconds before each new start; after the last one it counts as broken.
   */
  constructor(launch: () => Promise<ServiceLaunch>, log: Log, pauses = usualPauses) {
    this.#launch = launch;
    this.#pauses = pauses;
    this.#log = log;
    const onFault = (error: unknown): void => {
      log.error(`A listener of the service failed: ${describe(error)}`);
    };
    this.#states = new Emitter(onFault);
    this.#news = new Emitter(onFault);
  }

  get onState(): Emitter<ServiceState>['event'] {
    return this.#states.event;
  }

  get onNews(): Emitter<ServiceNews>['event'] {
    return this.#news.event;
  }

  get state(): ServiceState {
    return this.#state;
  }

  /** Starts the service if it does not run, at once also when it waits to be started again. */
  start(): void {
    this.#failures = 0;
    // What keeps it from starting is told by its state.
    this.#begin().catch(() => undefined);
  }

  /** Ends the service and starts it with what it is to know now. */
  restart(): void {
    const { state } = this;
    this.stop();
    if (state.kind !== 'stopped') this.start();
  }

  /** @throws {ServiceError} */
  async request<Method extends ServiceMethod>(
    method: Method,
    params: ServiceRequests[Method]['params'],
  ): Promise<ServiceRequests[Method]['result']> {
    if (this.#state.kind === 'broken') throw new ServiceError('internal', this.#state.message);
    const running = await this.#begin();
    await running.ready.promise;
    const id = ++this.#lastId;
    const answer = new Promise<unknown>((resolve, reject) => {
      running.waiting.set(id, { resolve, reject });
    });
    send(running.child, { type: 'request', id, method, params } as ToService);
    // Both sides come from one build: the answer is what the method says.
    return (await answer) as ServiceRequests[Method]['result'];
  }

  stop(): void {
    clearTimeout(this.#timer);
    const running = this.#running;
    this.#running = undefined;
    this.#starting = undefined;
    this.#setState({ kind: 'stopped' });
    if (running === undefined) return;
    rejectAll(running, t('The history is not read any more: the editor has ended the service.'));
    shutDown(running.child);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.stop();
    this.#states.dispose();
    this.#news.dispose();
  }

  #begin(): Promise<Running> {
    if (this.#isDisposed) return Promise.reject(new ServiceError('internal', 'disposed'));
    this.#starting ??= this.#fork();
    return this.#starting;
  }

  async #fork(): Promise<Running> {
    clearTimeout(this.#timer);
    this.#setState({ kind: 'starting' });
    this.#startedAt = Date.now();
    let launch: ServiceLaunch;
    try {
      launch = await this.#launch();
    } catch (error) {
      this.#starting = undefined;
      this.#setState({ kind: 'broken', message: messageOf(error) });
      throw new ServiceError('internal', messageOf(error));
    }
    const child = fork(join(launch.dist, 'service.js'), [], {
      cwd: launch.options.directory,
      execPath: launch.execPath,
      execArgv: [],
      env: { ...launch.env, MILLRACE_SERVICE: JSON.stringify(launch.options) },
      serialization: 'json',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const running: Running = {
      child,
      waiting: new Map(),
      ready: Promise.withResolvers(),
      inbox: [],
      isReady: false,
      errors: '',
    };
    // Somebody may have begun to wait, or nobody.
    running.ready.promise.catch(() => undefined);
    this.#running = running;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        running.errors = (running.errors + text).slice(-4000);
        this.#log.warn(`service: ${text.trimEnd()}`);
      });
    child.on('message', (message: FromService) => {
      if (running.inbox.push(message) === 1) this.#hear(running);
    });
    child.once('error', error => {
      this.#ended(running, t('It cannot be started with {0}: {1}', launch.execPath, error.message));
    });
    child.once('exit', (code, signal) => {
      const how = signal === null ? t('exit code {0}', code ?? 0) : t('signal {0}', signal);
      const said = lastLine(running.errors);
      this.#ended(
        running,
        said === '' ? t('It ended with {0}.', how) : t('It ended with {0}: {1}', how, said),
      );
    });
    return running;
  }

  /**
   * One message after the other: a busy editor reads many at once, and who waits for an answer is to have it before the
   * news that follows it.
   */
  #hear(running: Running): void {
    const [message] = running.inbox;
    if (message === undefined || this.#running !== running) return;
    this.#receive(running, message);
    afterMicrotasks(() => {
      running.inbox.shift();
      this.#hear(running);
    });
  }

  #receive(running: Running, message: FromService): void {
    switch (message.type) {
      case 'ready':
        if (message.version !== PROTOCOL_VERSION) {
          this.#ended(running, t('It speaks another version of the protocol ({0}).', message.version));
          shutDown(running.child);
          return;
        }
        running.isReady = true;
        this.#log.info(
          `The service is ready (Millrace ${message.runnerVersion}, process ${String(running.child.pid)})`,
        );
        this.#setState({ kind: 'ready', runnerVersion: message.runnerVersion });
        running.ready.resolve(undefined);
        return;
      case 'result':
        running.waiting.get(message.id)?.resolve(message.result);
        running.waiting.delete(message.id);
        return;
      case 'error':
        running.waiting.get(message.id)?.reject(new ServiceError(message.code, message.message));
        running.waiting.delete(message.id);
        return;
      case 'store':
      case 'runs':
      case 'run':
      case 'output':
        this.#news.fire(message);
    }
  }

  /** The process is gone, and nobody wanted it. */
  #ended(running: Running, why: string): void {
    if (this.#running !== running) return;
    this.#running = undefined;
    this.#starting = undefined;
    const message = t('The process that reads the history has ended. {0}', why);
    this.#log.error(message);
    rejectAll(running, message);
    if (running.isReady && Date.now() - this.#startedAt > lasted) this.#failures = 0;
    const pause = this.#pauses[this.#failures];
    this.#failures += 1;
    if (pause === undefined) {
      this.#setState({ kind: 'broken', message });
      return;
    }
    this.#setState({ kind: 'waiting', message });
    this.#timer = setTimeout(() => {
      this.#begin().catch(() => undefined);
    }, pause);
  }

  #setState(state: ServiceState): void {
    if (state.kind === this.#state.kind && state.kind !== 'waiting') return;
    this.#state = state;
    this.#states.fire(state);
  }
}

function rejectAll({ waiting, ready }: Running, message: string): void {
  const error = new ServiceError('internal', message);
  ready.reject(error);
  for (const { reject } of waiting.values()) reject(error);
  waiting.clear();
}

function send(child: ChildProcess, message: ToService): void {
  // A process that is about to end is told of by its exit.
  if (child.connected) child.send(message, () => undefined);
}

/** Asks it to end, and makes it end when it does not. */
function shutDown(child: ChildProcess): void {
  send(child, { type: 'shutdown' });
  const timer = setTimeout(() => child.kill('SIGKILL'), shutdownPatience);
  timer.unref();
  child.once('exit', () => {
    clearTimeout(timer);
  });
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
