/** A client of the service process, as the editor is one. */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import {
  PROTOCOL_VERSION,
  type FromService,
  type ServiceErrorCode,
  type ServiceMethod,
  type ServiceOptions,
  type ServiceRequests,
} from '../../runner/service/protocol.ts';
import { resources, temporaryHome } from './store.ts';
import { waitUntil } from './wait.ts';

export interface StartServiceOptions extends Partial<Omit<ServiceOptions, 'version' | 'directory'>> {
  /** Added to the environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The program; default: from the sources. */
  readonly entry?: string;
}

/** An answer that says why there is none. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ServiceErrorCode;

  constructor(message: string, code: ServiceErrorCode) {
    super(message);
    this.code = code;
  }
}

type Notification = Exclude<FromService, { readonly type: 'result' | 'error' }>;

/** A running service; `await using` ends it. */
export interface TestService extends AsyncDisposable {
  readonly pid: number;
  /** Everything but answers, in the order in which it came. */
  readonly notifications: readonly Notification[];
  /** What it logged. */
  readonly stderr: string;
  /** The exit code; `null` when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** @throws {ServiceError} */
  request<Method extends ServiceMethod>(
    method: Method,
    params: ServiceRequests[Method]['params'],
  ): Promise<ServiceRequests[Method]['result']>;
  /** Waits for a notification, also for one that came before. */
  notified<Type extends Notification['type']>(
    type: Type,
    condition?: (message: Extract<Notification, { readonly type: Type }>) => boolean,
  ): Promise<Extract<Notification, { readonly type: Type }>>;
  /** Sends something as it is. */
  send(message: object): void;
  /** Closes the channel, as an editor does that dies. */
  disconnect(): void;
}

/** Starts a service for a project, with the state folder of this test process. */
export async function startService(
  directory: string,
  { env = {}, entry, ...options }: StartServiceOptions = {},
): Promise<TestService> {
  const home = await temporaryHome();
  const serviceOptions: ServiceOptions = { version: PROTOCOL_VERSION, directory, trusted: true, ...options };
  const child = fork(entry ?? join(resources, 'runner', 'service', 'main.ts'), [], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
    env: {
      ...process.env,
      MILLRACE_HOME: home,
      MILLRACE_STORE_URL: undefined,
      ...env,
      MILLRACE_SERVICE: JSON.stringify(serviceOptions),
    },
  });
  const service = attach(child);
  await service.notified('ready');
  return service;
}

function attach(child: ChildProcess): TestService {
  const { pid } = child;
  if (pid === undefined) throw new Error('the service has no process');
  const open = new Map<number, PromiseWithResolvers<unknown>>();
  const notifications: Notification[] = [];
  const exited = Promise.withResolvers<number | null>();
  let stderr = '';
  let hasExited = false;
  let nextId = 1;
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.on('message', (message: FromService) => {
    if (message.type === 'result') open.get(message.id)?.resolve(message.result);
    else if (message.type === 'error')
      open.get(message.id)?.reject(new ServiceError(message.message, message.code));
    else notifications.push(message);
  });
  child.on('error', exited.reject);
  // Not `close`, which never comes after the channel was closed on this side.
  child.on('exit', code => {
    hasExited = true;
    exited.resolve(code);
    for (const { reject } of open.values()) reject(new Error(`the service has ended:\n${stderr}`));
  });
  return {
    pid,
    notifications,
    get stderr() {
      return stderr;
    },
    exited: exited.promise,
    request<Method extends ServiceMethod>(method: Method, params: ServiceRequests[Method]['params']) {
      const id = nextId++;
      const answer = Promise.withResolvers<unknown>();
      open.set(id, answer);
      answer.promise.catch(() => undefined); // whoever asked sees it
      child.send({ type: 'request', id, method, params });
      return answer.promise as Promise<ServiceRequests[Method]['result']>;
    },
    async notified(type, condition = () => true) {
      type Wanted = Extract<Notification, { readonly type: typeof type }>;
      const find = (): Wanted | undefined =>
        notifications.find(
          (message): message is Wanted => message.type === type && condition(message as Wanted),
        );
      await waitUntil(() => {
        if (hasExited && find() === undefined) throw new Error(`the service has ended:\n${stderr}`);
        return find() !== undefined;
      });
      const found = find();
      if (found === undefined) throw new Error(`no ${type}`);
      return found;
    },
    send(message) {
      child.send(message);
    },
    disconnect() {
      child.disconnect();
    },
    async [Symbol.asyncDispose]() {
      if (!hasExited && child.connected) child.send({ type: 'shutdown' });
      await exited.promise;
    },
  };
}
