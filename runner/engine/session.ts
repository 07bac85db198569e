/** A run from the user's words to its end: project, store, selection, pool and engine put together. */
import { availableParallelism, hostname, userInfo } from 'node:os';
import type { Client } from 'pg';
import { toGraph } from '../api/graph.ts';
import { isPipeline, type Node } from '../api/node.ts';
import type { Pipeline } from '../api/pipeline.ts';
import { entryFile } from '../entry-files.ts';
import type { LoadedProject } from '../loader/load-project.ts';
import { formatPath, type NodePath, type ParameterValue, type RunTrigger } from '../model.ts';
import { WorkerPool } from '../pool/worker-pool.ts';
import { selectNodes } from '../scheduler/plan.ts';
import { flatten } from '../scheduler/run-graph.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { averageDurations } from '../store/durations.ts';
import { RunRecorder } from '../store/run-recorder.ts';
import type { Store } from '../store/store.ts';
import { runnerVersion } from '../version.ts';
import { codeVersion } from './code-version.ts';
import { EventHandlers } from './event-handlers.ts';
import { masker, secretsOf } from './masks.ts';
import { resolveParameters } from './parameters.ts';
import { planOf } from './plan.ts';
import { RecorderSubscriber } from './recorder-subscriber.ts';
import { RunEngine } from './run.ts';
import type { RunResult } from './run-description.ts';
import { parametersOf, type RunSelection } from './selection.ts';
import { startGuarded } from './start-guard.ts';
import { type StateService, stateService } from './state-service.ts';
import type { RunSubscriber } from './subscriber.ts';

export interface RunSettings {
  readonly directory: string;
  readonly project: LoadedProject;
  /** `null`: nothing is kept. */
  readonly store: Store | null;
  readonly selection: RunSelection;
  /** As the user gave them, or as the resumed run had them. */
  readonly params: Readonly<Record<string, ParameterValue>>;
  /** The run that is gone on with, and the paths (`a/b`) that succeeded in it. */
  readonly resume: {
    readonly runId: number;
    readonly succeeded: ReadonlySet<string>;
    /** See `RunInfo.chain`. */
    readonly chain: string;
  } | null;
  /** How many tasks run at once. */
  readonly parallel: number;
  readonly allowConcurrent: boolean;
  readonly trigger: RunTrigger;
  readonly subscribers: readonly RunSubscriber[];
  /** Gets what the user should know while it happens. */
  readonly notice: (text: string) => void;
  /** Workers that were started ahead. */
  readonly pool: PoolBeforeRun;
}

export interface StartedRun {
  readonly runId: number | null;
  readonly result: Promise<RunResult>;
  /** Whether all tasks are done and only the record is waited for. */
  readonly isOver: boolean;
  /** Ends the run, or the waiting for its record. */
  cancel(): void;
  kill(): void;
}

/** A pool whose engine comes later, so that workers load the project while the runner does. */
export interface PoolBeforeRun {
  readonly pool: WorkerPool;
  /** From now on the engine gets what happens. */
  attach(engine: RunEngine, state: StateService): void;
}

/** Starts the first worker ahead of need; it loads the project by itself, while the runner does. */
export function startPool(directory: string, size: number): PoolBeforeRun {
  const engine = Promise.withResolvers<{ engine: RunEngine; state: StateService }>();
  let attached: { engine: RunEngine; state: StateService } | undefined;
  const pool = new WorkerPool({
    size,
    source: { directory },
    workerFile: entryFile('worker'),
    handlers: {
      onOutput(ticket, chunks, bytes) {
        attached?.engine.onOutput(ticket, chunks, bytes);
      },
      onFinished(ticket, result) {
        attached?.engine.onFinished(ticket, result);
      },
      onExpanded(ticket, nodes, maxParallelTasks) {
        attached?.engine.onExpanded(ticket, nodes, maxParallelTasks);
      },
      async onState(request) {
        const { state } = await engine.promise;
        return state.answer(request);
      },
      onUnusable(message) {
        void engine.promise.then(({ engine: running }) => {
          running.fail(message);
        });
      },
    },
  });
  pool.start(1);
  return {
    pool,
    attach(running, state) {
      attached = { engine: running, state };
      engine.resolve(attached);
    },
  };
}

/**
 * Begins a run: makes its row, then drives it. The promise resolves when the run has begun; its end is `result`.
 *
 * @throws {UsageError} for parameters that do not fit, or when another run is at work on the same nodes.
 */
export async function startRun(settings: RunSettings): Promise<StartedRun> {
  const { project, store, selection, resume, pool: early, directory } = settings;
  const { config } = project;
  const { pipeline } = selection;
  const params = resolveParameters(parametersOf(pipeline), settings.params);
  const plan = planOf(pipeline);
  const nodes = selection.nodePaths;
  const selected =
    nodes.length === 0 ? plan : selectNodes(plan, { nodes, withUpstreams: selection.withUpstreams });
  const graph = flatten(selected, resume === null ? {} : { unrepeated: resume.succeeded });
  early.pool.start(Math.min(graph.taskCount, availableParallelism()));

  const version = codeVersion(directory);
  const client = store === null ? null : await store.connect();
  const averages =
    client === null
      ? new Map<string, number>()
      : await orEnd(client, () => averageDurations(client, pipeline.path));
  const scheduler = new Scheduler(graph, {
    slots: settings.parallel,
    defaultMaxRetries: config.defaultMaxRetries,
    averageDurations: averages,
  });

  const identity = {
    pipelinePath: pipeline.path,
    nodePaths: nodes,
    withUpstreams: selection.withUpstreams,
    params,
    trigger: settings.trigger,
    startedBy: startedBy(),
    host: hostname(),
    codeVersion: await version,
    resumedFrom: resume?.runId ?? null,
  };
  const mask = masker(secretsOf(config));
  const recorder =
    store === null || client === null
      ? null
      : await startGuarded(client, identity, settings.allowConcurrent, () =>
          RunRecorder.begin(
            store,
            { ...identity, runnerVersion, graph: toGraph(pipeline, { mask }) },
            { client },
          ),
        );
  const clock = store === null ? Date.now : () => store.clock();
  const startedAt = recorder?.startedAt.getTime() ?? clock();
  const runId = recorder?.runId ?? null;

  const handlers =
    config.eventHandlers.length === 0
      ? []
      : [
          new EventHandlers(config.eventHandlers, runId, {
            onError: message => {
              engine.note(message);
            },
          }),
        ];
  const engine: RunEngine = new RunEngine({
    run: {
      runId,
      ...identity,
      startedAt,
      parallel: settings.parallel,
      ...(resume !== null && { chain: resume.chain }),
    },
    graph,
    scheduler,
    nodeAt: nodeFinder(pipeline),
    pool: early.pool,
    ids: recorder ?? counter(),
    // The store first: it must have what the others show.
    subscribers: [
      ...(recorder === null ? [] : [new RecorderSubscriber(recorder)]),
      ...settings.subscribers,
      ...handlers,
    ],
    clock,
    expectedDurations: averages,
    expectedDuration: scheduler.costs.hasHistory ? scheduler.costs.criticalPath().seconds : null,
    killTimeout: config.killTimeout,
    systemStatisticsInterval: config.systemStatisticsInterval,
  });
  recorder?.onCancelRequested(() => {
    engine.cancel();
  });
  recorder?.onFatal(message => {
    engine.fail(message);
  });
  early.attach(engine, stateService(store));
  let isOver = false;
  const finished = engine.run().then(async result => {
    isOver = true;
    await early.pool.close();
    return finish(result, recorder, settings.notice);
  });
  const end = (how: 'cancel' | 'kill'): void => {
    if (isOver) recorder?.stopWaiting();
    else engine[how]();
  };
  return {
    runId,
    result: finished,
    get isOver() {
      return isOver;
    },
    cancel: () => {
      end('cancel');
    },
    kill: () => {
      end('kill');
    },
  };
}

/** Waits for the record of a run whose tasks are done. */
async function finish(
  result: RunResult,
  recorder: RunRecorder | null,
  notice: (text: string) => void,
): Promise<RunResult> {
  if (recorder?.isAway === true) {
    notice('The tasks are done. Waiting up to 10 s for the store, which is away; Ctrl-C ends the waiting.');
  }
  const end = await recorder?.finish();
  const notes = [...result.notes, ...(recorder?.notes ?? [])];
  switch (end?.kind) {
    case 'spooled':
      return { ...result, notes: [...notes, end.message] };
    case 'incomplete': {
      // It begins with why, which may have been said when the run was ended for it.
      const others = notes.filter(note => !end.message.startsWith(note));
      // What is not on record cannot be called a success.
      const status = result.status === 'succeeded' ? 'failed' : result.status;
      return { ...result, notes: [...others, end.message], status };
    }
    case 'stored':
      return { ...result, notes, stored: true };
    case undefined:
      return { ...result, notes };
  }
}

/** Ends the connection, which would keep the process running, when the work fails. */
async function orEnd<T>(client: Client, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await client.end().catch(() => undefined); // the first error says more
    throw error;
  }
}

/** Finds declared nodes by path; children of parallel tasks are not declared. */
function nodeFinder(pipeline: Pipeline): (path: NodePath) => Node | undefined {
  const known = new Map<string, Node>();
  const visit = (around: Pipeline): void => {
    for (const node of around.nodes.values()) {
      known.set(formatPath(node.path), node);
      if (isPipeline(node)) visit(node);
    }
  };
  visit(pipeline);
  return path => known.get(formatPath(path));
}

function counter(): { nextNodeRunId(): number } {
  let last = 0;
  return { nextNodeRunId: () => ++last };
}

/** Who runs Millrace: the name behind sudo, the user's name, or the number that a container gives. */
function startedBy(): string {
  const { SUDO_USER: sudo, MILLRACE_USER: given } = process.env;
  if (given !== undefined && given !== '') return given;
  if (sudo !== undefined && sudo !== '') return sudo;
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
