/** Timeline, statistics and output of one run, of all of it or of one node: on the page of the run, and on other pages. */
import { useMemo, useState } from 'preact/hooks';
import { formatPath, isAtOrBelow, type NodePath } from '../../../runner/model.ts';
import type { RunDetailsRecord, StatisticsRecord } from '../../../runner/records.ts';
import { useAction, useNow, usePage } from '../../page.ts';
import { Failure, Loading, PageState, StoreAway } from '../../parts/page-states.tsx';
import { nodeHistories } from '../../timeline/nodes.ts';
import { OutputSection } from './output-section.tsx';
import { type RunSnapshot, useRun } from './run-model.ts';
import { TimelineSection } from './timeline-section.tsx';

/** What is selected in a run: a node, or one of its attempts. */
export interface RunSelection {
  readonly path: NodePath;
  readonly nodeRunId: number | null;
}

/** Follows the run as long as it is on the page. `path`: only this node and what is below it. */
export function RunPanel({ runId, path }: { runId: number; path?: NodePath }) {
  const { model, snapshot } = useRun(runId);
  const [selection, setSelection] = useState<RunSelection | null>(null);
  if (snapshot.kind !== 'ready')
    return (
      <RunMissing
        runId={runId}
        snapshot={snapshot}
        onRetry={() => {
          model.reload();
        }}
      />
    );
  return (
    <RunSections
      details={snapshot.details}
      statistics={snapshot.statistics}
      {...(path !== undefined && { path })}
      selection={selection}
      onSelect={setSelection}
    />
  );
}

/** Why there is no run to show. */
export function RunMissing({
  runId,
  snapshot,
  onRetry,
}: {
  runId: number;
  snapshot: Exclude<RunSnapshot, { readonly kind: 'ready' }>;
  onRetry: () => void;
}) {
  const act = useAction();
  const { store } = usePage();
  switch (snapshot.kind) {
    case 'loading':
      return <Loading what={`run ${runId}`} />;
    case 'gone':
      return (
        <PageState
          icon="trash"
          title={`Run ${runId} is not in the store any more`}
          detail="Runs are deleted when they are older than the retention that is configured, or by `millrace reset`."
          actions={[
            {
              title: 'Open run history',
              run: () => {
                act({ kind: 'openHistory' });
              },
            },
            { title: 'Look again', run: onRetry },
          ]}
        />
      );
    case 'failed':
      return snapshot.code === 'store' ? (
        <StoreAway
          message={snapshot.message}
          {...(store.kind === 'unreachable' && { detail: store.detail })}
        />
      ) : (
        <Failure
          title={`Millrace could not get run ${runId}`}
          detail={snapshot.message}
          actions={[
            { title: 'Try again', run: onRetry },
            {
              title: 'Show log',
              run: () => {
                act({ kind: 'showLog' });
              },
            },
          ]}
        />
      );
  }
}

export interface RunSectionsProps {
  readonly details: RunDetailsRecord;
  readonly statistics: readonly StatisticsRecord[];
  readonly path?: NodePath;
  readonly selection: RunSelection | null;
  readonly onSelect: (selection: RunSelection | null) => void;
}

export function RunSections({ details, statistics, path, selection, onSelect }: RunSectionsProps) {
  const histories = useMemo(() => nodeHistories(details), [details]);
  const shown = useMemo(
    () => (path === undefined ? histories : histories.filter(history => isAtOrBelow(history.path, path))),
    [histories, path === undefined ? null : formatPath(path)],
  );
  return (
    <>
      <TimelineSection
        details={details}
        histories={histories}
        statistics={statistics}
        {...(path !== undefined && { path })}
        selected={selection?.path ?? null}
        onSelect={selected => {
          onSelect(selected);
          document.getElementById('output')?.scrollIntoView({ block: 'nearest' });
        }}
      />
      <OutputSection
        run={details.run}
        histories={shown}
        {...(path !== undefined && { path })}
        selection={selection}
        onSelect={onSelect}
      />
    </>
  );
}

/** Now by the clock of the store, as far as it is known: never before the last thing that happened. Ms. */
export function useRunNow(details: RunDetailsRecord, interval = 1000): number {
  const { run, nodeRuns } = details;
  const isRunning = run.status === 'running';
  const now = useNow(isRunning, interval);
  const latest = useMemo(
    () =>
      nodeRuns.reduce(
        (most, { startedAt, endedAt }) => Math.max(most, startedAt ?? 0, endedAt ?? 0),
        run.startedAt,
      ),
    [nodeRuns, run.startedAt],
  );
  return isRunning ? Math.max(now, latest) : (run.endedAt ?? latest);
}
