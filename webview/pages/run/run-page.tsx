/** The page of a run: live, and the same for history. */
import { useEffect, useMemo } from 'preact/hooks';
import type { NodePath } from '../../../runner/model.ts';
import { useKept, usePage } from '../../page.ts';
import { Icon } from '../../parts/icon.tsx';
import { ActionLink, NodeLink } from '../../parts/links.tsx';
import { PageFrame } from '../../parts/page-frame.tsx';
import { Outdated, PageState } from '../../parts/page-states.tsx';
import { stateIcon, stateWord } from '../../parts/states.ts';
import { nodeHistories } from '../../timeline/nodes.ts';
import { FailureCards, RunningCards } from './cards.tsx';
import { failedNodes, runningNodes } from './failures.ts';
import { useLastLines } from './last-lines.ts';
import { RunActions, RunFacts, RunProgressBar } from './run-head.tsx';
import { type RunSnapshot, useRun } from './run-model.ts';
import { RunMissing, RunSections, type RunSelection, useRunNow } from './run-panel.tsx';

export function RunPage() {
  const { subject } = usePage();
  // Only this page's own subject gets here; anything else is said, not hidden.
  if (subject.page !== 'run')
    return (
      <main class="page">
        <PageState icon="info" title="There is no run to show" />
      </main>
    );
  return (
    <OneRun
      key={subject.runId}
      runId={subject.runId}
      {...(subject.path !== undefined && { path: subject.path })}
    />
  );
}

function OneRun({ runId, path }: { runId: number; path?: NodePath }) {
  const { model, snapshot } = useRun(runId);
  if (snapshot.kind === 'ready')
    return (
      <RunThere
        snapshot={snapshot}
        {...(path !== undefined && { path })}
        onRetry={() => {
          model.reload();
        }}
      />
    );
  return (
    <PageFrame breadcrumbs={[<SideBarLink key="" />, `Run ${runId}`]} icon={null} title={`Run ${runId}`}>
      <RunMissing
        runId={runId}
        snapshot={snapshot}
        onRetry={() => {
          model.reload();
        }}
      />
    </PageFrame>
  );
}

function SideBarLink() {
  return (
    <ActionLink action={{ kind: 'showPipelines' }} title="Show the side bar">
      Pipelines
    </ActionLink>
  );
}

function RunThere({
  snapshot,
  path,
  onRetry,
}: {
  snapshot: Extract<RunSnapshot, { readonly kind: 'ready' }>;
  /** What is selected at first. */
  path?: NodePath;
  onRetry: () => void;
}) {
  const { details, statistics, progressAt, problem } = snapshot;
  const { run } = details;
  const now = useRunNow(details);
  const [selection, setSelection] = useKept<RunSelection | null>(
    `selection ${run.runId}`,
    path === undefined || path.length === 0 ? null : { path, nodeRunId: null },
    isSelection,
  );
  const histories = useMemo(() => nodeHistories(details), [details]);
  const failed = useMemo(() => failedNodes(histories), [histories]);
  const running = useMemo(() => runningNodes(histories), [histories]);
  const lastLines = useLastLines(run.runId, run.status === 'running');
  useEffect(() => {
    // The panel was opened for another node of this run.
    if (path !== undefined && path.length > 0) setSelection({ path, nodeRunId: null });
  }, [path?.join('/')]);
  const show = (selected: RunSelection): void => {
    setSelection(selected);
    document.getElementById('output')?.scrollIntoView({ block: 'start' });
  };
  const title = `Run ${run.runId}`;
  return (
    <PageFrame
      breadcrumbs={[
        <SideBarLink key="" />,
        ...run.pipelinePath.map((id, index) => (
          <NodeLink key={id} path={run.pipelinePath.slice(0, index + 1)} />
        )),
        <span key="run" aria-current="page">
          {title}
        </span>,
      ]}
      icon={
        <Icon
          name={stateIcon(run.status)}
          label={stateWord(run.status)}
          size="large"
          class={`coloured state-${run.status}`}
        />
      }
      title={title}
      actions={<RunActions run={run} hasFailed={run.status !== 'succeeded'} />}
      facts={<RunFacts details={details} now={Date.now()} />}
    >
      {problem === null ? null : <Outdated problem={problem} onRetry={onRetry} />}
      {run.status === 'lost' ? (
        <div class="banner state-lost" role="status">
          <Icon name="question" class="coloured" />
          <span class="text">
            The runner of this run died before it could say how the run ended, for example because the machine
            was restarted. What it had recorded is here; what was running then is marked as lost.
          </span>
        </div>
      ) : null}
      <RunProgressBar details={details} histories={histories} now={now} progressAt={progressAt} />
      <div role="alert">
        <FailureCards failed={failed} pipelinePath={run.pipelinePath} now={Date.now()} onShow={show} />
      </div>
      {run.status === 'running' ? (
        <RunningCards
          running={running}
          lastLines={lastLines}
          pipelinePath={run.pipelinePath}
          now={now}
          onShow={show}
        />
      ) : null}
      <RunSections details={details} statistics={statistics} selection={selection} onSelect={setSelection} />
    </PageFrame>
  );
}

function isSelection(value: unknown): value is RunSelection | null {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const { path, nodeRunId } = value as Record<string, unknown>;
  return (
    Array.isArray(path) &&
    path.every(id => typeof id === 'string') &&
    (nodeRunId === null || typeof nodeRunId === 'number')
  );
}
