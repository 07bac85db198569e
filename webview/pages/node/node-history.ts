/** What history says about the node of a page, and the run of it that goes on. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { formatPath, isAtOrBelow, type NodePath } from '../../../runner/model.ts';
import type {
  NodeFiguresRecord,
  RunDetailsRecord,
  RunList,
  RunRecord,
  RunTimes,
} from '../../../runner/records.ts';
import type { LiveNodes } from '../../graph/faces.ts';
import { type Request, useNow, usePage, usePushed, useRequest, valueOf } from '../../page.ts';
import { liveNodes } from './live-nodes.ts';

export interface NodeHistory {
  readonly figures: Request<readonly NodeFiguresRecord[]>;
  /** By path. */
  readonly figuresByKey: ReadonlyMap<string, NodeFiguresRecord>;
  readonly runTimes: Request<readonly RunTimes[]>;
  readonly runs: Request<RunList>;
  /** The run that goes on and in which this node has, had or may have its turn. */
  readonly activeRun: RunRecord | null;
  /** Told by what follows the run. */
  readonly onFollowed: (details: RunDetailsRecord | null) => void;
  /** `null` until it is known. */
  readonly live: RunDetailsRecord | null;
  readonly liveNodes: LiveNodes | null;
  /** By the clock, every second while a run goes on. */
  readonly now: number;
}

/** Runs that the list of last runs shows. */
const runsShown = 15;

export function useNodeHistory(path: NodePath): NodeHistory {
  const { store } = usePage();
  const figures = useRequest('figures', { path });
  const runTimes = useRequest('runTimes', { path });
  const runs = useRequest('runs', { path, limit: runsShown });
  const active = useRequest('activeRuns', {});
  const concerns = (run: RunRecord): boolean =>
    isAtOrBelow(path, run.pipelinePath) || isAtOrBelow(run.pipelinePath, path);
  usePushed('runs', ({ changed }) => {
    active.reload();
    if (!changed.some(concerns) && changed.length > 0) return;
    runs.reload();
    // While a run goes on, its own messages tell what changes.
    if (changed.length === 0 || changed.some(({ status }) => status !== 'running')) {
      figures.reload();
      runTimes.reload();
    }
  });
  // What failed for want of the store is asked for again by itself; runs that go on may have changed meanwhile.
  useEffect(() => {
    if (store.kind === 'ready') active.reload();
  }, [store.kind]);

  const activeRun =
    (valueOf(active.state) ?? []).find(run => run.status === 'running' && concerns(run)) ?? null;
  const [followed, setFollowed] = useState<RunDetailsRecord | null>(null);
  const isLive =
    followed !== null && followed.run.runId === activeRun?.runId && followed.run.status === 'running';
  const live = isLive ? followed : null;
  const now = useNow(live !== null);
  return {
    figures,
    figuresByKey: useMemo(
      () => new Map((valueOf(figures.state) ?? []).map(each => [formatPath(each.path), each])),
      [figures.state],
    ),
    runTimes,
    runs,
    activeRun,
    onFollowed: setFollowed,
    live,
    liveNodes: useMemo(() => (live === null ? null : liveNodes(live)), [live]),
    now,
  };
}
