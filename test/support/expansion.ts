/** Expands parallel tasks outside of a worker. */
import type { Database, ExpansionContext, ProcessedFile } from '../../runner/api/context.ts';
import type { Node } from '../../runner/api/node.ts';
import { expandParallelTask, type ParallelTask } from '../../runner/api/parallel-task.ts';
import type { Pipeline } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';
import { testContext } from './commands.ts';

export interface TestExpansion extends ExpansionContext {
  /** The log; `!` before errors. */
  readonly lines: string[];
}

export interface TestExpansionOptions {
  readonly dataDir?: string;
  readonly basePath?: string;
  readonly firstDate?: string;
  readonly lastDate?: string;
  readonly parallel?: number;
  readonly chain?: string;
  readonly db?: (alias?: string) => Promise<Database>;
}

export function expansionContext(options: TestExpansionOptions = {}): TestExpansion {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(...text.split('\n'));
  return {
    lines,
    dataDir: options.dataDir ?? '/data',
    firstDate: options.firstDate ?? '2000-01-01',
    lastDate: options.lastDate ?? '3000-01-01',
    basePath: options.basePath ?? '/project',
    log: {
      info: say,
      command: say,
      verbatim: say,
      error: text => {
        say(`!${text}`);
      },
      write: say,
    },
    signal: new AbortController().signal,
    params: {},
    run: { id: 1, startedAt: new Date(0), attempt: 1, chain: options.chain ?? 'run 1' },
    parallel: options.parallel ?? 2,
    state: {
      fileDependency: () => Promise.resolve(null),
      setFileDependency: () => Promise.resolve(),
      deleteFileDependency: () => Promise.resolve(),
      copyWatermark: () => Promise.resolve(null),
      setCopyWatermark: () => Promise.resolve(),
      deleteCopyWatermark: () => Promise.resolve(),
    },
    db: options.db ?? (() => Promise.reject(new Error('this test has no database'))),
  };
}

export interface RunOptions extends TestExpansionOptions {
  /** Ids of children that need not run again. */
  readonly succeeded?: ReadonlySet<string>;
  /** Gets the connections of one attempt; whoever gives them closes them. */
  readonly attempt?: () => AsyncDisposable & { db(alias?: string): Promise<Database> };
  readonly onSucceeded?: (id: string) => void;
}

export interface ParallelRun {
  readonly pipeline: Pipeline;
  /** What the parallel task and its children have written. */
  readonly lines: readonly string[];
  readonly noted: readonly ProcessedFile[];
}

/** Expands a parallel task and runs its children one after the other, as a run would, in this process. */
export async function runParallelTask(task: ParallelTask, options: RunOptions): Promise<ParallelRun> {
  const { succeeded = new Set(), onSucceeded, chain = 'run 1', attempt = noDatabases } = options;
  const noted: ProcessedFile[] = [];
  let expansion: TestExpansion;
  let pipeline: Pipeline;
  {
    await using databases = attempt();
    expansion = expansionContext({ ...options, db: alias => databases.db(alias) });
    pipeline = await expandParallelTask(task, expansion);
  }
  const lines = [...expansion.lines];
  for (const child of inOrder(pipeline)) {
    if (succeeded.has(child.id)) continue;
    if (!(child instanceof Task)) throw new Error('only tasks are expected');
    await using databases = attempt();
    for (const command of await child.resolveCommands()) {
      const context = testContext(command, { basePath: '/', ...options, db: alias => databases.db(alias) });
      const state = {
        ...context.state,
        setProcessedFiles: (_path: readonly string[], files: readonly ProcessedFile[]) =>
          Promise.resolve(void noted.push(...files)),
      };
      try {
        const run = { ...context.run, chain };
        if ((await command.run({ ...context, node: child, state, run })) === false) throw new Error('false');
      } finally {
        lines.push(...context.lines.map(line => `${child.id}: ${line}`));
      }
    }
    onSucceeded?.(child.id);
  }
  return { pipeline, lines, noted };
}

function noDatabases(): AsyncDisposable & { db(): Promise<Database> } {
  return {
    db: () => Promise.reject(new Error('this test has no database')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Upstreams first. */
function inOrder(pipeline: Pipeline): Node[] {
  const done = new Set<Node>();
  const visit = (node: Node): void => {
    if (done.has(node)) return;
    for (const upstream of node.upstreams) visit(upstream);
    done.add(node);
  };
  for (const node of pipeline.nodes.values()) visit(node);
  return [...done];
}
