/** The other side of the history page, scripted: four weeks of runs of one pipeline. */
import type { NodeKind, NodeRunStatus, RunStatus } from '../../../runner/model.ts';
import type { RunGrid, RunList, RunQuery, RunRecord } from '../../../runner/records.ts';
import type { Answers } from './page-host.ts';
import { runRecord } from './run-peer.ts';

const top = 'python_project_stats';
const DAY = 86_400_000;

const nodes: readonly (readonly [path: string, kind: NodeKind])[] = [
  ['utils', 'pipeline'],
  ['utils/create_functions', 'task'],
  ['utils/create_code_tables', 'task'],
  ['utils/create_time_dimension', 'task'],
  ['pypi', 'pipeline'],
  ['pypi/initialize_schemas', 'task'],
  ['pypi/read_download_counts', 'parallel'],
  ['pypi/read_project_versions', 'parallel'],
  ['pypi/preprocess_download_counts', 'parallel'],
  ['pypi/transform_download_counts', 'task'],
  ['github', 'pipeline'],
  ['github/initialize_schemas', 'task'],
  ['github/read_repo_activity', 'parallel'],
  ['github/transform_repo', 'task'],
  ['github/transform_repo_activity', 'task'],
  ['python_projects', 'pipeline'],
  ['python_projects/extract', 'task'],
  ['check_data_quality', 'task'],
];

/** The time on the page: the newest run has begun on the same day. */
export const now = new Date(2026, 10, 20, 12).getTime();

/** Newest first. */
export function history(count = 28, newest = 412): RunRecord[] {
  return Array.from({ length: count }, (_, age): RunRecord => {
    const runId = newest - age;
    const status: RunStatus =
      age === 0
        ? 'running'
        : age === 3
          ? 'cancelled'
          : age === 7
            ? 'lost'
            : age === 11 || age === 13
              ? 'failed'
              : 'succeeded';
    const duration = status === 'cancelled' ? 12.4 : age === 13 ? 36.4 : 120 + ((runId * 7) % 51);
    const startedAt = age === 0 ? now - 72_500 : now - 90_000 - Math.ceil(age / 2) * DAY - age * 60_000;
    const failure =
      age === 0
        ? {
            nodePath: [top, 'github', 'transform_repo_activity'],
            error: 'ERROR: column a.commit_count does not exist',
          }
        : age === 11
          ? { nodePath: [top, 'github', 'read_repo_activity'], error: 'exit code 1: HTTP 502 Bad Gateway' }
          : age === 13
            ? {
                nodePath: [top, 'pypi', 'read_download_counts'],
                error: 'part-2026-11-08.csv.gz: unexpected end of file',
              }
            : null;
    return runRecord({
      runId,
      pipelinePath: [top],
      nodePaths: age === 2 ? [[top, 'github']] : age === 3 ? [[top, 'github']] : [],
      withUpstreams: age === 2,
      status,
      startedAt,
      endedAt: age === 0 ? null : startedAt + duration * 1000,
      trigger: age % 3 === 0 ? 'editor' : 'schedule',
      failure,
    });
  });
}

/** What {@link RunQuery} says, for a scripted list. */
export function selectRuns(runs: readonly RunRecord[], query: RunQuery): RunList {
  const { path, statuses, triggers, since, text, unresolvedOnly, limit = 50, before } = query;
  const others = runs.filter(
    run =>
      (path === undefined || path.every((id, index) => run.pipelinePath[index] === id)) &&
      (triggers === undefined || triggers.includes(run.trigger)) &&
      (since === undefined || run.startedAt >= since) &&
      (text === undefined ||
        JSON.stringify([run.failure, run.runId]).toLowerCase().includes(text.toLowerCase())) &&
      (unresolvedOnly !== true || (run.status === 'failed' && run.runId > 400)),
  );
  const matching = others.filter(run => statuses === undefined || statuses.includes(run.status));
  const byStatus: Partial<Record<RunStatus, number>> = {};
  for (const { status } of others) byStatus[status] = (byStatus[status] ?? 0) + 1;
  return {
    runs: matching.filter(run => before === undefined || run.runId < before).slice(0, limit),
    matching: matching.length,
    total: runs.length,
    byStatus,
  };
}

export function historyGrid(runs: readonly RunRecord[]): RunGrid {
  const oldestFirst = [...runs].reverse();
  return {
    runs: oldestFirst,
    nodes: nodes.map(([path, kind]) => ({ path: [top, ...path.split('/')], kind })),
    cells: nodes.map(([path]) => oldestFirst.map(run => cell(path, run))),
  };
}

function cell(path: string, run: RunRecord): NodeRunStatus | null {
  const isGithub = path.startsWith('github');
  const failed = run.failure?.nodePath.slice(1).join('/');
  if (run.nodePaths.length > 0 && !isGithub) return null;
  if (failed !== undefined && (path === failed || failed.startsWith(`${path}/`))) return 'failed';
  if (path === 'check_data_quality' && failed !== undefined) return 'skipped';
  if (run.status === 'running')
    return path.endsWith('transform_repo') || path === 'pypi' ? 'running' : 'succeeded';
  if (run.status === 'cancelled') return path.includes('transform') ? 'skipped' : 'cancelled';
  if (run.status === 'lost')
    return path.startsWith('pypi/preprocess') || path === 'pypi' ? 'lost' : 'succeeded';
  if (path.startsWith('utils') && run.runId % 9 === 2) return 'unchanged';
  return 'succeeded';
}

export function historyAnswers(runs: readonly RunRecord[]): Answers {
  return {
    runs: query => selectRuns(runs, query),
    grid: ({ query }) => historyGrid(selectRuns(runs, query).runs),
    pipelines: () => [top, 'reports'],
  };
}
