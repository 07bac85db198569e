/** What every worker does, whatever project it serves; the entry file says how to load one. */
import { captureConsole } from './console-capture.ts';
import { Outbox } from './outbox.ts';
import { OutputFlow } from './output-flow.ts';
import { signalGroup } from './process-group.ts';
import type { FromWorker, ProjectSource, ToWorker } from './protocol.ts';
import { Shells } from './shells.ts';
import { TaskRunner } from './task-runner.ts';
import type { WorkerProject } from './worker-project.ts';
import { describeError } from './user-error.ts';

/** Loads the project in a worker. What it throws makes the worker unusable, with its message. */
export type LoadWorkerProject = (
  source: ProjectSource,
) => Promise<WorkerProject & { readonly shell?: string | undefined }>;

/** Serves the runner that has forked this process, until it goes away. */
export function startWorker(load: LoadWorkerProject): void {
  const flow = new OutputFlow();
  const groups = new Set<number>();
  const answers = new Map<number, PromiseWithResolvers<unknown>>();
  let requests = 0;
  let runner: TaskRunner | undefined;

  const outbox = new Outbox((mail, done) => {
    if (process.connected && process.send !== undefined)
      process.send(mail, undefined, undefined, () => done?.());
    else done?.();
  });
  const send = (message: FromWorker): void => {
    if (message.type === 'group') {
      if (message.alive) groups.add(message.pgid);
      else groups.delete(message.pgid);
    }
    outbox.send(message);
  };
  const sendLast = (message: FromWorker): void => {
    killGroups();
    outbox.send(message);
    outbox.flush(() => process.exit(1));
  };
  const killGroups = (): void => {
    for (const pgid of groups) signalGroup(pgid, 'SIGKILL');
    groups.clear();
  };
  const askState = async (method: string, args: readonly unknown[]): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    const request = requests++;
    answers.set(request, answer);
    send({ type: 'state', request, method, arguments: args });
    return await answer.promise;
  };

  captureConsole(() => runner?.console, flow);
  // Ctrl-C and the like are for the runner, which decides; without it, this process ends by itself.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => {
    killGroups();
    process.exit(0);
  });
  const crashed = (error: unknown): void => {
    if (runner?.crashed(error) === true) return;
    killGroups();
    process.exit(1);
  };
  process.on('uncaughtException', crashed);
  process.on('unhandledRejection', crashed);

  const loadProject = async (source: ProjectSource): Promise<void> => {
    try {
      const project = await load(source);
      const shells = new Shells({
        shell: project.shell,
        onGroup: (pgid, alive) => {
          send({ type: 'group', pgid, alive });
        },
      });
      runner = new TaskRunner({ project, shells, flow, send, sendLast, askState });
      send({ type: 'ready' });
    } catch (error) {
      send({ type: 'unusable', message: describeError(error).summary });
    }
  };
  process.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'load':
        void loadProject(message.source);
        break;
      case 'run':
        void runner?.run(message.task);
        break;
      case 'expand':
        void runner?.expand(message.task);
        break;
      case 'cancel':
        runner?.cancel(message.ticket, message.killAfter);
        break;
      case 'taken':
        flow.taken(message.bytes);
        break;
      case 'state': {
        const answer = answers.get(message.request);
        answers.delete(message.request);
        if (message.error === undefined) answer?.resolve(message.result);
        else answer?.reject(new Error(message.error));
        break;
      }
    }
  });
}
