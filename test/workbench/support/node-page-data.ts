/** What a store would say about one project: the pipelines of the example with four weeks of history. */
import { formatPath, type NodePath, type NodeRunStatus } from '../../../runner/model.ts';
import type {
  NodeFiguresRecord,
  NodeRunRecord,
  RunDetailsRecord,
  RunPoint,
  RunRecord,
  RunTimes,
} from '../../../runner/records.ts';
import type { NodeView, PageNode } from '../../../webview/messages.ts';
import type { Answers } from './page-host.ts';

/** All times are before this one; pages count ages from the clock. */
export const now = Date.now();
const hour = 3_600_000;

type Kind = PageNode['kind'];
interface Sketch {
  readonly id: string;
  readonly kind?: Kind;
  readonly description?: string;
  readonly upstreams?: readonly string[];
  readonly nodes?: readonly Sketch[];
  readonly seconds?: number;
}

export function pageNode(sketch: Sketch, parent: NodePath = []): PageNode {
  const path = sketch.id === '' ? [] : [...parent, sketch.id];
  return {
    id: sketch.id,
    path,
    kind: sketch.kind ?? (sketch.nodes === undefined ? 'task' : 'pipeline'),
    description: sketch.description ?? '',
    labels: {},
    upstreams: sketch.upstreams ?? [],
    nodes: (sketch.nodes ?? []).map(child => pageNode(child, path)),
    commands: sketch.nodes === undefined ? [] : null,
    origin: 'loaded',
    location: { file: '/project/python-project-stats.pipeline.ts', line: 12 },
  };
}

const utils: Sketch = {
  id: 'utils',
  description: 'Functions and shared dimensions',
  nodes: [
    { id: 'create_functions', description: 'Creates functions', seconds: 1.2 },
    { id: 'create_code_tables', description: 'Creates tables of codes', seconds: 2.1 },
    { id: 'create_time_dimension', description: 'Fills the dimension of time', seconds: 3.8 },
  ],
};
const pypi: Sketch = {
  id: 'pypi',
  description: 'Download counts and versions of the packages',
  upstreams: ['utils'],
  nodes: [
    { id: 'initialize_schemas', description: 'Drops and creates the schemas', seconds: 0.46 },
    {
      id: 'read_download_counts',
      kind: 'parallel',
      description: 'Reads the downloads of the last 31 days',
      upstreams: ['initialize_schemas'],
      seconds: 42.1,
    },
    {
      id: 'read_project_versions',
      kind: 'parallel',
      description: 'Reads the versions of each project',
      upstreams: ['initialize_schemas'],
      seconds: 30.6,
    },
    {
      id: 'preprocess_download_counts',
      kind: 'parallel',
      description: 'Cleans download counts, one part per day',
      upstreams: ['read_download_counts', 'initialize_schemas'],
      seconds: 34,
    },
    {
      id: 'preprocess_project_versions',
      description: 'Numbers the versions, adds release dates',
      upstreams: ['read_project_versions'],
      seconds: 44,
    },
    {
      id: 'transform_download_counts',
      description: 'Builds the fact table of downloads',
      upstreams: ['preprocess_download_counts', 'preprocess_project_versions'],
      seconds: 27.9,
    },
  ],
};
const github: Sketch = {
  id: 'github',
  description: 'Repositories and their activity',
  upstreams: ['utils'],
  nodes: [
    { id: 'initialize_schemas', description: 'Drops and creates the schemas', seconds: 0.42 },
    {
      id: 'read_repos',
      description: 'Reads the repositories',
      upstreams: ['initialize_schemas'],
      seconds: 12.6,
    },
    {
      id: 'read_repo_activity',
      kind: 'parallel',
      description: 'Reads commits, forks and stars per day',
      upstreams: ['initialize_schemas'],
      seconds: 38.5,
    },
    {
      id: 'extract_repos',
      description: 'Takes apart the repository names',
      upstreams: ['read_repos'],
      seconds: 6.1,
    },
    {
      id: 'transform_repo',
      description: 'Builds the repository dimension',
      upstreams: ['extract_repos'],
      seconds: 72,
    },
    {
      id: 'transform_repo_activity',
      description: 'Builds the fact table of repository activity, one row per repository and day.',
      upstreams: ['read_repo_activity', 'extract_repos'],
      seconds: 18.9,
    },
  ],
};
const project: Sketch = {
  id: 'python_project_stats',
  description: 'Downloads, repositories and activity of Python projects, joined per project and day.',
  nodes: [
    utils,
    pypi,
    github,
    {
      id: 'python_projects',
      description: 'Joins both sources to projects',
      upstreams: ['pypi', 'github', 'utils'],
      nodes: [
        { id: 'collect', seconds: 4 },
        { id: 'transform_python_project', upstreams: ['collect'], seconds: 9 },
        { id: 'transform_activity', upstreams: ['collect'], seconds: 12 },
        { id: 'constrain_tables', upstreams: ['transform_python_project', 'transform_activity'], seconds: 3 },
      ],
    },
    {
      id: 'check_data_quality',
      description: 'Row counts and references, last',
      upstreams: ['python_projects'],
      seconds: 3.6,
    },
  ],
};

export const projectNode: PageNode = {
  ...pageNode(project),
  labels: { owner: 'data-platform', layer: 'warehouse', schedule: 'daily 06:00' },
};

export const projectView: NodeView = {
  node: projectNode,
  ancestors: [],
  upstreams: [],
  downstreams: [
    { path: ['reporting'], kind: 'pipeline', description: 'Reports' },
    { path: ['dashboards'], kind: 'pipeline', description: 'Dashboards' },
  ],
  source: {
    name: 'python-project-stats.pipeline.ts',
    location: { file: '/project/python-project-stats.pipeline.ts', line: 12 },
  },
  problems: [],
};

function find(path: NodePath): PageNode {
  let node = projectNode;
  for (const id of path.slice(1)) {
    const next = node.nodes.find(each => each.id === id);
    if (next === undefined) throw new Error(`there is no ${id}`);
    node = next;
  }
  return node;
}

export function taskView(path: NodePath): NodeView {
  const node = find(path);
  const siblings = find(path.slice(0, -1)).nodes;
  const neighbour = (each: PageNode) => ({ path: each.path, kind: each.kind, description: each.description });
  return {
    ...projectView,
    node: { ...node, maxRetries: 1, timeout: 30 },
    ancestors: [['python_project_stats'], ['python_project_stats', 'github']],
    upstreams: siblings.filter(({ id }) => node.upstreams.includes(id)).map(neighbour),
    downstreams: siblings.filter(({ upstreams }) => upstreams.includes(node.id)).map(neighbour),
  };
}

/** Seconds by id; pipelines: the sum of half of what is in them. */
function secondsOf(sketch: Sketch): number {
  if (sketch.nodes === undefined) return sketch.seconds ?? 1;
  return sketch.nodes.reduce((sum, node) => sum + secondsOf(node), 0) * 0.55;
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function nodeRun(path: NodePath, changes: Partial<NodeRunRecord> = {}): NodeRunRecord {
  return {
    nodeRunId: path
      .join('/')
      .split('')
      .reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 100_000, 7),
    runId: 411,
    nodePath: path,
    kind: 'task',
    attempt: 1,
    status: 'succeeded',
    startedAt: now - 3 * hour,
    endedAt: now - 3 * hour + 20_000,
    cost: 10,
    rowsProcessed: null,
    exitCode: 0,
    error: null,
    reason: null,
    ...changes,
  };
}

const failedPath = ['python_project_stats', 'github', 'transform_repo_activity'];
export const sqlError = [
  'github/transform_repo_activity.sql:14:7: ERROR: column a.commit_count does not exist',
  'LINE 14:   sum(a.commit_count)              AS number_of_commits',
  '               ^',
  'HINT: Perhaps you meant a.commits_count.',
].join('\n');

export const figures: readonly NodeFiguresRecord[] = figuresOf(project, []);

function figuresOf(sketch: Sketch, parent: NodePath, after = 0): NodeFiguresRecord[] {
  const path = [...parent, sketch.id];
  const random = mulberry32(path.join('/').length * 7919);
  const seconds = secondsOf(sketch);
  const runTime = sketch.nodes === undefined ? seconds : seconds / 0.55;
  const isFailed = failedPath.join('/').startsWith(path.join('/')) && path.length > 1;
  const isSkipped = sketch.id === 'python_projects' || sketch.id === 'check_data_quality';
  const last: NodeRunStatus = isFailed ? 'failed' : isSkipped ? 'skipped' : 'succeeded';
  const recent = Array.from({ length: 10 }, (_, index): RunPoint => {
    const status = index === 9 ? last : isFailed && index === 5 ? 'failed' : 'succeeded';
    return {
      runId: 402 + index,
      at: now - (9 - index) * 24 * hour,
      duration: status === 'skipped' ? null : seconds * (0.6 + 0.5 * random()),
      status,
    };
  });
  const own: NodeFiguresRecord = {
    path,
    averageDuration: seconds,
    averageRunTime: runTime,
    cost: seconds + after,
    last: nodeRun(path, {
      kind: sketch.nodes === undefined ? (sketch.kind === 'parallel' ? 'parallel' : 'task') : 'pipeline',
      status: last,
      attempt: isFailed ? 2 : 1,
      endedAt: now - 3 * hour + seconds * 1000,
      ...(isFailed ? { error: sqlError, exitCode: 3, endedAt: now - 4 * 60_000 } : {}),
      ...(isSkipped ? { startedAt: null, endedAt: null } : {}),
    }),
    recent,
  };
  const nodes = sketch.nodes ?? [];
  const below = nodes.map((node, index) =>
    figuresOf(
      node,
      path,
      after + nodes.slice(index + 1).reduce((sum, each) => Math.max(sum, secondsOf(each)), 0),
    ),
  );
  return [own, ...below.flat()];
}

export const runTimes: readonly RunTimes[] = (() => {
  const random = mulberry32(42);
  const line = (path: NodePath, seconds: number, failures: readonly number[]): RunTimes => ({
    path,
    points: Array.from({ length: 28 }, (_, day) => {
      const isFailed = failures.includes(day);
      return {
        runId: 384 + day,
        at: now - (28 - day) * 24 * hour,
        duration: seconds * (isFailed ? 0.4 : 0.94 + 0.14 * random()),
        status: isFailed ? ('failed' as const) : ('succeeded' as const),
      };
    }),
  });
  return [
    line(['python_project_stats'], 124, [19]),
    line(['python_project_stats', 'pypi'], 96, []),
    line(['python_project_stats', 'github'], 64, [6]),
    line(['python_project_stats', 'python_projects'], 24, []),
    line(['python_project_stats', 'utils'], 4.1, []),
  ];
})();

export function run(runId: number, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    runId,
    pipelinePath: ['python_project_stats'],
    nodePaths: [],
    withUpstreams: false,
    params: {},
    status: 'succeeded',
    startedAt: now - (412 - runId) * 24 * hour - 3 * hour,
    endedAt: now - (412 - runId) * 24 * hour - 3 * hour + 134_000,
    trigger: 'schedule',
    startedBy: 'airflow',
    host: 'warehouse-1',
    codeVersion: '4f2c1d9',
    runnerVersion: '0.1.0',
    resumedFrom: null,
    cancelRequestedAt: null,
    failure: null,
    ...changes,
  };
}

export const liveRun = run(412, {
  status: 'running',
  startedAt: now - 72_000,
  endedAt: null,
  trigger: 'editor',
  failure: { nodePath: failedPath, error: 'column a.commit_count does not exist' },
});

export const runs: readonly RunRecord[] = [
  run(411),
  run(410, {
    trigger: 'editor',
    nodePaths: [['python_project_stats', 'github']],
    withUpstreams: true,
    endedAt: now - 51 * hour + 41_200,
  }),
  run(409, {
    trigger: 'editor',
    status: 'cancelled',
    nodePaths: [['python_project_stats', 'github']],
    endedAt: now - 75 * hour + 12_400,
  }),
  run(408),
  run(401, {
    status: 'failed',
    failure: {
      nodePath: ['python_project_stats', 'github', 'read_repo_activity'],
      error: 'exit code 1: HTTP 502 Bad Gateway',
    },
  }),
  run(400),
];

/** The run that goes on, at 63 %. */
export const liveDetails: RunDetailsRecord = (() => {
  const nodeRuns: NodeRunRecord[] = [];
  const expected: Record<string, number> = {};
  const add = (path: NodePath, changes: Partial<NodeRunRecord>) => {
    nodeRuns.push(nodeRun(path, { runId: 412, nodeRunId: nodeRuns.length + 1, ...changes }));
  };
  const root = 'python_project_stats';
  const done = (id: string[], from: number, seconds: number, changes: Partial<NodeRunRecord> = {}) => {
    const startedAt = liveRun.startedAt + from * 1000;
    add([root, ...id], { startedAt, endedAt: startedAt + seconds * 1000, ...changes });
  };
  const running = (id: string[], elapsed: number, kind: NodeRunRecord['kind'] = 'task') => {
    add([root, ...id], {
      kind,
      status: 'running',
      startedAt: now - elapsed * 1000,
      endedAt: null,
      exitCode: null,
    });
  };
  running([], 72, 'pipeline');
  done(['utils'], 0, 4.1, { kind: 'pipeline' });
  done(['utils', 'create_functions'], 0, 1.2);
  done(['utils', 'create_code_tables'], 0, 2.1);
  done(['utils', 'create_time_dimension'], 0, 3.8);
  running(['pypi'], 68, 'pipeline');
  done(['pypi', 'initialize_schemas'], 4, 0.48);
  done(['pypi', 'read_download_counts'], 5, 48.6, { kind: 'parallel' });
  done(['pypi', 'read_project_versions'], 5, 31.2, { kind: 'parallel' });
  running(['pypi', 'preprocess_download_counts'], 19, 'parallel');
  running(['pypi', 'preprocess_project_versions'], 36);
  done(['github'], 4, 60, { kind: 'pipeline', status: 'failed' });
  done(['github', 'initialize_schemas'], 4, 0.41);
  done(['github', 'read_repos'], 5, 12.8);
  done(['github', 'read_repo_activity'], 5, 38, { kind: 'parallel', attempt: 2 });
  done(['github', 'extract_repos'], 18, 6.2);
  running(['github', 'transform_repo'], 48);
  done(['github', 'transform_repo_activity'], 44, 5.5, {
    status: 'failed',
    attempt: 2,
    error: sqlError,
    exitCode: 3,
  });
  for (const id of ['python_projects', 'check_data_quality'])
    add([root, id], {
      status: 'skipped',
      startedAt: null,
      endedAt: null,
      kind: id === 'python_projects' ? 'pipeline' : 'task',
    });
  for (const { path, averageDuration } of figures) expected[formatPath(path)] = averageDuration ?? 0;
  return {
    run: liveRun,
    graph: { ...pageNode({ id: '', nodes: [project] }) },
    nodeRuns,
    expected,
    progress: { fraction: 0.63, finished: 12, total: 20, left: 43 },
    criticalPath: [],
  };
})();

export const sqlBefore = `DROP TABLE IF EXISTS @schema@.repo_activity CASCADE;

-- one row per repository and day
CREATE TABLE @schema@.repo_activity AS
SELECT
  r.repo_id,
  date_trunc('day', a.created_at)  AS day,
  coalesce(r.project_fk, 0)        AS project_fk,

  -- activity
  count(a.event_id)                AS number_of_events,
  sum(a.fork_count)                AS number_of_forks,
  sum(a.star_count)                AS number_of_stars,
  sum(a.commit_count)              AS number_of_commits
FROM gh_data.repo_activity a
  LEFT JOIN gh_tmp.repo r USING (repo_name)
WHERE a.created_at BETWEEN '@first_date@' AND '@last_date@'
GROUP BY 1, 2, 3;`;
export const sqlAfter = sqlBefore
  .replaceAll('@schema@', 'gh_dim_next')
  .replace('@first_date@', '2026-10-20')
  .replace('@last_date@', '2026-11-19');

const attempt = (runId: number, number: number, changes: Partial<NodeRunRecord>) => ({
  ...nodeRun(failedPath, { runId, nodeRunId: runId * 10 + number, attempt: number, ...changes }),
  lines: changes.status === 'failed' ? 14 : 9,
});
export const attempts = [
  attempt(411, 2, {
    status: 'failed',
    startedAt: now - 4 * 60_000 - 5500,
    endedAt: now - 4 * 60_000,
    exitCode: 3,
    error: sqlError,
  }),
  attempt(411, 1, {
    status: 'failed',
    startedAt: now - 5 * 60_000,
    endedAt: now - 5 * 60_000 + 5400,
    exitCode: 3,
    error: sqlError,
  }),
  attempt(410, 1, { startedAt: now - 17 * hour, endedAt: now - 17 * hour + 18_900 }),
  attempt(408, 1, { startedAt: now - 27 * hour, endedAt: now - 27 * hour + 18_100 }),
  attempt(401, 1, {
    status: 'failed',
    startedAt: now - 9 * 24 * hour,
    endedAt: now - 9 * 24 * hour + 31_000,
    exitCode: 137,
    error: 'timeout after 30s',
  }),
];

/** Answers about the project with its history; what a test needs otherwise, it puts in their place. */
export const answers: Answers = {
  node: ({ path }) => (path.length === 1 ? projectView : taskView(path)),
  figures: ({ path }) => figures.filter(each => path.every((id, index) => each.path[index] === id)),
  runTimes: ({ path }) =>
    path.length === 1 ? runTimes : runTimes.slice(2, 3).map(each => ({ ...each, path })),
  runs: () => ({
    runs,
    matching: runs.length,
    total: 411,
    byStatus: { succeeded: 4, failed: 1, cancelled: 1 },
  }),
  activeRuns: () => [],
  statistics: () => [],
  follow: ({ runId }) => (runId === 412 ? liveDetails : null),
  unfollow: () => null,
  attempts: () => attempts,
  taskDocs: () => ({
    commands: [
      {
        kind: 'ExecuteSQL',
        items: [
          { label: 'db', value: 'dwh', language: 'text' },
          { label: 'echoQueries', value: 'true', language: 'text' },
          { label: 'sql file', value: 'github/transform_repo_activity.sql', language: 'file' },
          { label: 'sql', value: sqlBefore, language: 'sql' },
          { label: 'sql after replacement', value: sqlAfter, language: 'sql' },
          {
            label: 'command',
            value:
              'PGTZ=UTC psql --no-psqlrc --echo-all --set ON_ERROR_STOP=on dwh < github/transform_repo_activity.sql',
            language: 'bash',
          },
          { label: 'file dependency', value: 'github/create_tables.sql', language: 'file' },
        ],
      },
      {
        kind: 'RunFunction',
        items: [
          {
            label: 'call',
            value: "analyzeTable({ table: 'gh_dim_next.repo_activity' })",
            language: 'typescript',
          },
          {
            label: 'function',
            value:
              'async function analyzeTable({ table }) {\n  // statistics for the planner\n  await db.query(`analyze ${table}`);\n}',
            language: 'typescript',
          },
        ],
      },
    ],
    parallel: null,
  }),
};
