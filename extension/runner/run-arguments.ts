/** The arguments of the command line for what the user wants to run. */
import { formatPath, isAtOrBelow, type NodePath, type ParameterValue } from '../../runner/model.ts';
import type { RunRecord } from '../../runner/records.ts';

export interface RunRequest {
  /** The pipeline or task; the root's path is empty. */
  readonly path: NodePath;
  /** Nodes below it, by paths from the top; empty: all of it. */
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly allowConcurrent: boolean;
}

export type RunKind =
  | { readonly kind: 'run'; readonly request: RunRequest }
  | { readonly kind: 'resume'; readonly runId: number };

/** One request for several nodes: they run within the deepest pipeline that holds them all. */
export function requestFor(paths: readonly NodePath[], withUpstreams: boolean): RunRequest {
  const outermost = withoutNested(paths);
  const [first, ...others] = outermost;
  const nothing = { params: {}, allowConcurrent: false, withUpstreams };
  if (first === undefined || others.length === 0) return { path: first ?? [], nodePaths: [], ...nothing };
  let length = 0;
  while (
    length < first.length - 1 &&
    others.every(path => path.length - 1 > length && path[length] === first[length])
  )
    length += 1;
  return { path: first.slice(0, length), nodePaths: outermost, ...nothing };
}

/** The same once more. */
export function requestAgain(run: RunRecord): RunRequest {
  return {
    path: run.pipelinePath,
    nodePaths: run.nodePaths,
    withUpstreams: run.withUpstreams,
    params: run.params,
    allowConcurrent: false,
  };
}

/** What follows `millrace --project <directory>`. */
export function runArguments(what: RunKind): string[] {
  if (what.kind === 'resume') return ['run', '--resume', String(what.runId), '--trigger', 'editor'];
  const { path, nodePaths, withUpstreams, params, allowConcurrent } = what.request;
  const nodes = nodePaths.map(node => formatPath(node.slice(path.length))).filter(node => node !== '');
  return [
    'run',
    ...(path.length === 0 ? [] : [formatPath(path)]),
    ...(nodes.length === 0 ? [] : ['--nodes', nodes.join(',')]),
    ...(withUpstreams ? ['--with-upstreams'] : []),
    ...Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${String(value)}`]),
    ...(allowConcurrent ? ['--allow-concurrent'] : []),
    '--trigger',
    'editor',
  ];
}

/** Without what lies below another one of them, and without repetitions. */
function withoutNested(paths: readonly NodePath[]): NodePath[] {
  return paths.filter(
    (path, index) =>
      !paths.some(
        (other, at) => at !== index && isAtOrBelow(path, other) && (other.length < path.length || at < index),
      ),
  );
}
