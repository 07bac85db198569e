/** How the history names what a run was about. */
import { formatPath, isAtOrBelow, type NodePath } from '../model.ts';
import { nameOfPath } from './format.ts';

export interface NamedRun {
  readonly pipelinePath: NodePath;
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
}

/** `shop`, `shop: load, check/orders with upstreams`, `everything`. */
export function nameOfRun({ pipelinePath, nodePaths, withUpstreams }: NamedRun): string {
  const pipeline = nameOfPath(pipelinePath);
  if (nodePaths.length === 0) return pipeline;
  const upstreams = withUpstreams ? ' with upstreams' : '';
  if (pipelinePath.length === 0) return `${nodePaths.map(formatPath).join(', ')}${upstreams}`;
  const within = nodePaths.map(path =>
    formatPath(isAtOrBelow(path, pipelinePath) ? path.slice(pipelinePath.length) : path),
  );
  return `${pipeline}: ${within.join(', ')}${upstreams}`;
}
