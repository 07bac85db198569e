/** The other side of the page of a run, scripted: a run that looks like a real one, and output of any length. */
import type { NodeGraph, NodeKind, NodePath, NodeRunStatus } from '../../../runner/model.ts';
import type {
  NodeRunRecord,
  OutputExtent,
  OutputQuery,
  OutputRecord,
  RunDetailsRecord,
  RunRecord,
  StatisticsRecord,
} from '../../../runner/records.ts';
import { type Answers, PageError } from './page-host.ts';

export function runRecord(changes: Partial<RunRecord> = {}): RunRecord {
  return {
    runId: 412,
    pipelinePath: ['python_project_stats'],
    nodePaths: [],
    withUpstreams: false,
    params: {},
    status: 'running',
    startedAt: Date.now() - 72_500,
    endedAt: null,
    trigger: 'editor',
    startedBy: 'eva',
    host: 'laptop',
    codeVersion: null,
    runnerVersion: '0.1.0',
    resumedFrom: null,
    cancelRequestedAt: null,
    failure: null,
    ...changes,
  };
}

export function graphNode(
  path: NodePath,
  kind: NodeKind,
  upstreams: readonly string[] = [],
  nodes: readonly NodeGraph[] = [],
  more: Partial<NodeGraph> = {},
): NodeGraph {
  return {
    id: path.at(-1) ?? '',
    path,
    kind,
    description: '',
    labels: {},
    upstreams,
    nodes,
    commands: [],
    ...more,
  };
}

export const failureText = `github/transform_repo_activity.sql:14:7: ERROR: column a.commit_count does not exist
    sum(a.commit_count) AS number_of_commits
        ^
HINT: Perhaps you meant to reference the column "a.commits_count".`;

const top = 'python_project_stats';

/** Id, start, end, status; further attempts follow. Seconds. */
type Step = readonly [
  path: string,
  start: number | null,
  end: number | null,
  status: NodeRunStatus,
  attempt?: number,
];

const steps: readonly Step[] = [
  ['utils', 0.2, 4.2, 'succeeded'],
  ['utils/create_functions', 0.3, 1.5, 'succeeded'],
  ['utils/create_code_tables', 0.3, 2.4, 'succeeded'],
  ['utils/create_time_dimension', 0.3, 4.1, 'succeeded'],
  ['github', 4.2, null, 'running'],
  ['pypi', 4.2, null, 'running'],
  ['pypi/initialize_schemas', 4.3, 4.8, 'succeeded'],
  ['github/initialize_schemas', 4.3, 4.7, 'succeeded'],
  ['pypi/read_download_counts', 4.9, 53.5, 'succeeded'],
  ['pypi/read_project_versions', 4.9, 36.1, 'succeeded'],
  ['github/read_repos', 4.8, 17.6, 'succeeded'],
  ['github/read_repo_activity', 4.8, 12, 'failed', 1],
  ['github/read_repo_activity', 20, 42, 'succeeded', 2],
  ['github/extract_repos', 17.7, 23.9, 'succeeded'],
  ['github/transform_repo', 24, null, 'running'],
  ['pypi/preprocess_project_versions', 36.2, null, 'running'],
  ['github/transform_repo_activity', 42.1, 47.5, 'failed', 1],
  ['github/transform_repo_activity', 55.5, 61, 'failed', 2],
  ['pypi/preprocess_download_counts', 53.6, null, 'running'],
  ['python_projects', null, 61, 'skipped'],
  ['python_projects/extract', null, 61, 'skipped'],
  ['python_projects/transform', null, 61, 'skipped'],
  ['python_projects/load', null, 61, 'skipped'],
  ['python_projects/check', null, 61, 'skipped'],
  ['check_data_quality', null, 61, 'skipped'],
];

export const expected: Readonly<Record<string, number>> = {
  [`${top}/github/transform_repo`]: 72,
  [`${top}/pypi/preprocess_project_versions`]: 44,
  [`${top}/pypi/preprocess_download_counts`]: 34,
  [`${top}/pypi/transform_download_counts`]: 28,
};

function graph(): NodeGraph {
  const task = (path: string, ...upstreams: string[]): NodeGraph =>
    graphNode(
      [top, ...path.split('/')],
      'task',
      upstreams,
      [],
      path.includes('repo_activity') ? { maxRetries: 1 } : {},
    );
  return graphNode([], 'pipeline', [], [
    graphNode(
      [top],
      'pipeline',
      [],
      [
        graphNode([top, 'utils'], 'pipeline', [], [
          task('utils/create_functions'),
          task('utils/create_code_tables'),
          task('utils/create_time_dimension'),
        ]),
        graphNode([top, 'github'], 'pipeline', ['utils'], [
          task('github/initialize_schemas'),
          task('github/read_repos', 'initialize_schemas'),
          task('github/read_repo_activity', 'initialize_schemas'),
          task('github/extract_repos', 'read_repos'),
          task('github/transform_repo', 'extract_repos'),
          task('github/transform_repo_activity', 'read_repo_activity'),
        ]),
        graphNode([top, 'pypi'], 'pipeline', ['utils'], [
          task('pypi/initialize_schemas'),
          task('pypi/read_download_counts', 'initialize_schemas'),
          task('pypi/read_project_versions', 'initialize_schemas'),
          task('pypi/preprocess_project_versions', 'read_project_versions'),
          task('pypi/preprocess_download_counts', 'read_download_counts'),
          task('pypi/transform_download_counts', 'preprocess_download_counts', 'preprocess_project_versions'),
        ]),
        graphNode([top, 'python_projects'], 'pipeline', ['github', 'pypi'], [
          task('python_projects/extract'),
          task('python_projects/transform'),
          task('python_projects/load'),
          task('python_projects/check'),
        ]),
        task('check_data_quality', 'python_projects'),
      ],
      { maxParallelTasks: 8, onFailure: 'skipDownstream' },
    ),
  ]); // prettier-ignore
}

/** A run that goes on: one task has failed in two attempts, three run. */
export function liveRun(changes: Partial<RunRecord> = {}): RunDetailsRecord {
  const run = runRecord({
    failure: {
      nodePath: [top, 'github', 'transform_repo_activity'],
      error: failureText.split('\n')[0] ?? '',
    },
    ...changes,
  });
  const kinds = new Set(['utils', 'github', 'pypi', 'python_projects']);
  const nodeRuns = steps.map(([path, start, end, status, attempt = 1], index): NodeRunRecord => {
    const isError = path === 'github/transform_repo_activity';
    return {
      nodeRunId: index + 1,
      runId: run.runId,
      nodePath: [top, ...path.split('/')],
      kind: kinds.has(path) ? 'pipeline' : path.includes('read_') ? 'parallel' : 'task',
      attempt,
      status,
      startedAt: start === null ? null : run.startedAt + start * 1000,
      endedAt: end === null ? null : run.startedAt + end * 1000,
      cost: 0,
      rowsProcessed: path === 'pypi/read_download_counts' ? 1_204_553 : null,
      exitCode: isError ? 3 : status === 'succeeded' ? 0 : null,
      error: isError ? failureText : null,
      reason: status === 'skipped' ? `upstream "${top}/github" failed` : null,
    };
  });
  const critical = ['utils/create_time_dimension', 'pypi/initialize_schemas', 'pypi/read_download_counts'];
  return {
    run,
    graph: graph(),
    nodeRuns,
    expected,
    progress: { fraction: 0.634, finished: 15, total: 20, left: 43 },
    criticalPath: nodeRuns
      .filter(({ nodePath }) => critical.includes(nodePath.slice(1).join('/')))
      .map(r => r.nodeRunId),
  };
}

/** The same run after its end. */
export function endedRun(changes: Partial<RunRecord> = {}): RunDetailsRecord {
  const live = liveRun();
  const startedAt = live.run.startedAt - 86_400_000;
  const shift = (at: number | null): number | null => (at === null ? null : at - 86_400_000);
  const nodeRuns = live.nodeRuns.map((record): NodeRunRecord => {
    const isOpen = record.status === 'running';
    const end = record.kind === 'pipeline' ? 115.5 : 78 + record.nodeRunId;
    return {
      ...record,
      status: isOpen ? (record.nodePath.at(-1) === 'github' ? 'failed' : 'succeeded') : record.status,
      startedAt: shift(record.startedAt),
      endedAt: isOpen ? startedAt + end * 1000 : shift(record.endedAt),
    };
  });
  const last = nodeRuns.find(({ nodePath }) => nodePath.at(-1) === 'preprocess_download_counts');
  nodeRuns.push({
    ...(last ?? nodeRuns[0] ?? never()),
    nodeRunId: 99,
    nodePath: [top, 'pypi', 'transform_download_counts'],
    startedAt: startedAt + 98_000,
    endedAt: startedAt + 115_400,
  });
  return {
    ...live,
    run: { ...live.run, status: 'failed', startedAt, endedAt: startedAt + 115_500, ...changes },
    nodeRuns,
    progress: { fraction: 1, finished: 20, total: 20, left: null },
    criticalPath: [...live.criticalPath, last?.nodeRunId ?? 0, 99],
  };
}

function never(): never {
  throw new Error('the run has nodes');
}

/** One sample per second. */
export function statistics(startedAt: number, seconds: number): StatisticsRecord[] {
  return Array.from({ length: seconds }, (_, second) => ({
    at: startedAt + second * 1000,
    cpu: second < 4 ? 20 + second * 3 : 70 + 18 * Math.sin(second / 3) * Math.cos(second / 11),
    memory: 30 + second * 0.4,
    swap: 0,
    diskRead: 12 + 10 * Math.sin(second / 5),
    diskWrite: second < 10 ? second * 6 : 30 + 25 * Math.cos(second / 4),
    netReceived: null,
    netSent: null,
  }));
}

/** Lines by index, however many. */
export interface OutputSource {
  readonly lines: number;
  at(index: number): OutputRecord;
  /** Index of the next error line from `from` on, or the previous one; for sources too long to look through. */
  errors?: { readonly count: number; find(from: number, direction: 'next' | 'previous'): number | null };
}

/** Answers requests for output: every view is a filter over one source, which may grow. */
export class OutputPeer {
  source: OutputSource;
  readonly asked: string[] = [];
  readonly views = new Map<number, OutputQuery>();
  #last = 0;

  constructor(source: OutputSource) {
    this.source = source;
  }

  static of(records: readonly OutputRecord[]): OutputPeer {
    return new OutputPeer({
      lines: records.length,
      at: index => records[index] ?? never(),
    });
  }

  get answers(): Answers {
    return {
      openOutput: query => {
        const view = ++this.#last;
        this.views.set(view, query);
        this.asked.push(`open ${JSON.stringify(query)}`);
        return { view, extent: this.extent(view) };
      },
      closeOutput: ({ view }) => {
        this.views.delete(view);
        return null;
      },
      readOutput: ({ view, from, count }) => {
        this.asked.push(`read ${from} ${count}`);
        const lines = this.#lines(view);
        return Array.from({ length: Math.max(0, Math.min(count, lines.length - from)) }, (_, at) =>
          lines.at(from + at),
        );
      },
      searchOutput: ({ view, text, from, limit = 10_000 }) => {
        const lines = this.#lines(view);
        const wanted = text.toLowerCase();
        const indexes: number[] = [];
        const end = Math.min(lines.length, from + 200_000);
        let index = from;
        for (; index < end && indexes.length < limit; index += 1)
          if (lines.at(index).message.toLowerCase().includes(wanted)) indexes.push(index);
        return { indexes, next: index < lines.length ? index : null };
      },
      findError: ({ view, from, direction }) => {
        const lines = this.#lines(view);
        const query = this.views.get(view);
        if (this.source.errors !== undefined && query?.errorsOnly !== true) {
          const index = this.source.errors.find(from, direction);
          return index === null ? null : { index };
        }
        const step = direction === 'next' ? 1 : -1;
        for (let index = Math.min(from, lines.length - 1); index >= 0 && index < lines.length; index += step)
          if (lines.at(index).isError && (direction === 'previous' || index >= from)) return { index };
        return null;
      },
    };
  }

  extent(view: number): OutputExtent {
    const lines = this.#lines(view);
    if (this.source.errors !== undefined)
      return { lines: lines.length, errors: this.source.errors.count, complete: true };
    let errors = 0;
    for (let index = 0; index < lines.length; index += 1) if (lines.at(index).isError) errors += 1;
    return { lines: lines.length, errors, complete: true };
  }

  #lines(view: number): { readonly length: number; at(index: number): OutputRecord } {
    const query = this.views.get(view);
    if (query === undefined) throw new PageError('notFound', `There is no view ${view}.`);
    const { path, nodeRunId, errorsOnly } = query;
    if (path === undefined && nodeRunId === undefined && errorsOnly !== true)
      return { length: this.source.lines, at: index => this.source.at(index) };
    if (this.source.lines > 100_000) throw new Error('a source of this length is not filtered');
    const all = Array.from({ length: this.source.lines }, (_, index) => this.source.at(index)).filter(
      record =>
        (nodeRunId === undefined || record.nodeRunId === nodeRunId) &&
        (path === undefined || path.every((id, index) => record.nodePath[index] === id)) &&
        (errorsOnly !== true || record.isError),
    );
    return { length: all.length, at: index => all[index] ?? never() };
  }
}

type Said = readonly [path: string, message: string, kind?: 'error' | 'standard' | 'italics' | 'failed'];

const said: readonly Said[] = [
  ['github/transform_repo_activity', 'attempt 2 of 2', 'standard'],
  [
    'github/transform_repo_activity',
    'PGTZ=UTC psql --no-psqlrc --echo-all --set ON_ERROR_STOP=on dwh < github/transform_repo_activity.sql',
    'italics',
  ],
  ['github/transform_repo_activity', 'DROP TABLE'],
  ['pypi/preprocess_download_counts', 'INSERT 0 48211'],
  ['github/transform_repo', 'NOTICE:  table "repo_next" does not exist, skipping'],
  ['pypi/preprocess_download_counts', '\u001b[32mINSERT\u001b[0m 0 \u001b[1m51094\u001b[0m'],
  ['pypi/preprocess_project_versions', 'UPDATE 312406'],
  ['github/transform_repo_activity', 'ERROR:  column a.commit_count does not exist', 'error'],
  ['github/transform_repo_activity', 'LINE 14:   sum(a.commit_count) AS number_of_commits', 'error'],
  ['github/transform_repo_activity', '               ^', 'error'],
  [
    'github/transform_repo_activity',
    'HINT:  Perhaps you meant to reference the column "a.commits_count".',
    'error',
  ],
  ['github/transform_repo_activity', 'at github/transform_repo_activity.sql:14', 'error'],
  ['github/transform_repo_activity', 'failed, exit code 3, 5.5s', 'failed'],
  ['python_projects', 'skipped, because github / transform_repo_activity failed', 'standard'],
  ['check_data_quality', 'skipped, because github / transform_repo_activity failed', 'standard'],
  ['pypi/preprocess_download_counts', 'INSERT 0 47730'],
  ['pypi/preprocess_project_versions', 'CREATE INDEX'],
  ['pypi/preprocess_download_counts', 'INSERT 0 50118'],
  ['github/transform_repo', 'see https://example.com/repos?page=2 for details'],
  ['github/transform_repo', 'INSERT 0 128340'],
];

/** Output of {@link liveRun}; `before`: so many lines of tables that were loaded first. */
export function liveOutput(details: RunDetailsRecord, before = 30): OutputRecord[] {
  const { startedAt } = details.run;
  const nodeRunOf = (path: string): NodeRunRecord | undefined =>
    details.nodeRuns.findLast(({ nodePath }) => nodePath.slice(1).join('/') === path);
  const record = (index: number, path: string, message: string, kind: Said[2]): OutputRecord => ({
    nodeRunId: nodeRunOf(path)?.nodeRunId ?? 0,
    nodePath: [top, ...path.split('/')],
    attempt: nodeRunOf(path)?.attempt ?? 1,
    seq: index + 1,
    at: startedAt + 55_500 + index * 350,
    format:
      kind === 'standard' || kind === 'failed' ? 'standard' : kind === 'italics' ? 'italics' : 'verbatim',
    isError: kind === 'error' || kind === 'failed',
    message,
  });
  return [
    ...Array.from({ length: before }, (_, index) => ({
      ...record(index, 'pypi/read_download_counts', `COPY ${10_000 + index * 37}`, undefined),
      at: startedAt + 5000 + index * 1500,
    })),
    ...said.map(([path, message, kind], index) => record(index, path, message, kind)),
  ];
}

/** Everything that the page of a run asks for. */
export function runAnswers(details: RunDetailsRecord | null, peer: OutputPeer, seconds = 73): Answers {
  return {
    follow: () => details,
    unfollow: () => null,
    statistics: () => (details === null ? [] : statistics(details.run.startedAt, seconds)),
    ...peer.answers,
  };
}

/** Tasks in 8 lanes that take from 1 to 20 s. */
export function manyTasks(count: number): RunDetailsRecord {
  const run = runRecord({ status: 'succeeded', startedAt: Date.now() - 9_000_000, endedAt: Date.now() });
  const ends = Array.from({ length: 8 }, () => 0);
  const nodeRuns = Array.from({ length: count }, (_, index): NodeRunRecord => {
    const lane = index % 8;
    const start = ends[lane] ?? 0;
    const end = start + 1 + ((index * 7919) % 20);
    ends[lane] = end;
    return {
      nodeRunId: index + 1,
      runId: 412,
      nodePath: [top, `area_${index % 12}`, `task_${index}`],
      kind: 'task',
      attempt: 1,
      status: index % 97 === 0 ? 'failed' : 'succeeded',
      startedAt: run.startedAt + start * 1000,
      endedAt: run.startedAt + end * 1000,
      cost: 0,
      rowsProcessed: null,
      exitCode: 0,
      error: index % 97 === 0 ? `task ${index} went wrong` : null,
      reason: null,
    };
  });
  return {
    run: { ...run, endedAt: run.startedAt + Math.max(...ends) * 1000 },
    graph: graphNode([], 'pipeline'),
    nodeRuns,
    expected: {},
    progress: { fraction: 1, finished: count, total: count, left: null },
    criticalPath: [],
  };
}

/** Lines by index, with an error every so often. */
export function millionsOfLines(details: RunDetailsRecord, lines: number): OutputSource {
  const every = 123_456;
  const running = details.nodeRuns.filter(({ status, kind }) => status === 'running' && kind === 'task');
  return {
    lines,
    at: index => {
      const record = running[Math.floor(index / 7) % running.length];
      if (record === undefined) return never();
      const isError = index > 0 && index % every === 0;
      return {
        nodeRunId: record.nodeRunId,
        nodePath: record.nodePath,
        attempt: 1,
        seq: index + 1,
        at: details.run.startedAt + index,
        format: 'verbatim',
        isError,
        message: isError ? `line ${index} ERROR` : `line ${index} ${'x'.repeat(index % 60)}`,
      };
    },
    errors: {
      count: Math.floor((lines - 1) / every),
      find: (from, direction) => {
        if (direction === 'next') {
          const next = Math.max(1, Math.ceil(from / every)) * every;
          return next < lines ? next : null;
        }
        const before = Math.floor(Math.min(from, lines - 1) / every) * every;
        return before > 0 ? before : null;
      },
    },
  };
}
