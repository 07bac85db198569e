/** What the page of a pipeline shows: graph, run times, nodes, last runs. */
import { useMemo } from 'preact/hooks';
import { plural } from '../../../runner/format.ts';
import { faceOf } from '../../graph/faces.ts';
import { GraphView } from '../../graph/graph-view.tsx';
import { countLeaves, type GraphNode, pipelinesBelow } from '../../graph/model.ts';
import type { NodeView } from '../../messages.ts';
import { useMedia } from '../../page.ts';
import { LastRuns } from './last-runs.tsx';
import type { NodeHistory } from './node-history.ts';
import { NodesTable } from './nodes-table.tsx';
import { RunTimesSection } from './run-times.tsx';

export function PipelineContent({ view, history }: { view: NodeView; history: NodeHistory }) {
  const { node } = view;
  const isNarrow = useMedia('(max-width: 640px)');
  const { figuresByKey, liveNodes, now } = history;
  const face = (each: GraphNode) => faceOf(each, figuresByKey.get(each.key), liveNodes, now);
  const facesVersion = useMemo(() => ({}), [figuresByKey, liveNodes, now]);
  const pipelines = pipelinesBelow(node).length;
  return (
    <>
      <GraphView
        root={node}
        upstreams={view.upstreams}
        downstreams={view.downstreams}
        isNarrow={isNarrow}
        note={`${plural(countLeaves(node), 'task')}${pipelines === 0 ? '' : ` in ${plural(pipelines, 'pipeline')}`}`}
        faceOf={face}
        facesVersion={facesVersion}
      />
      <RunTimesSection path={node.path} history={history} />
      <NodesTable node={node} history={history} />
      <LastRuns path={node.path} history={history} />
    </>
  );
}
