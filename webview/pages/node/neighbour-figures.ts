/** What history says about the nodes next to a node. */
import { useMemo } from 'preact/hooks';
import { formatPath, type NodePath } from '../../../runner/model.ts';
import type { NodeFiguresRecord } from '../../../runner/records.ts';
import { usePushed, useRequest, valueOf } from '../../page.ts';

/** By path: of everything in the pipeline that the node is in. */
export function useNeighbourFigures(path: NodePath): ReadonlyMap<string, NodeFiguresRecord> {
  const figures = useRequest('figures', { path: path.slice(0, -1) });
  usePushed('runs', ({ changed }) => {
    if (changed.length === 0 || changed.some(({ status }) => status !== 'running')) figures.reload();
  });
  return useMemo(
    () => new Map((valueOf(figures.state) ?? []).map(each => [formatPath(each.path), each])),
    [figures.state],
  );
}
