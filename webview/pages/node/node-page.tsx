/** The page of a node: a pipeline, a task, or a parallel task. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatPath, type NodePath } from '../../../runner/model.ts';
import type { RunDetailsRecord } from '../../../runner/records.ts';
import type { NodeView } from '../../messages.ts';
import { useAction, usePage, usePushed, useRequest } from '../../page.ts';
import { nodeBreadcrumbs, PageFrame } from '../../parts/page-frame.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Loaded, Outdated, PageState } from '../../parts/page-states.tsx';
import { useRun } from '../run/run-model.ts';
import { ChosenRunContext } from './chosen-run.ts';
import { NodeFrame } from './node-header.tsx';
import { PipelineContent } from './pipeline-content.tsx';
import { TaskContent } from './task-content.tsx';
import { useNodeHistory } from './node-history.ts';

export function NodePage() {
  const { subject } = usePage();
  if (subject.page !== 'node') throw new Error(`this is no node: ${subject.page}`);
  return <NodeOf key={formatPath(subject.path)} path={subject.path} />;
}

function NodeOf({ path }: { path: NodePath }) {
  const view = useRequest('node', { path });
  usePushed('graph', view.reload);
  const { state } = view;
  const known = state.kind === 'loading' ? null : (state.value ?? null);
  if (known !== null)
    return (
      <Known view={known}>
        {state.kind === 'error' ? <Outdated problem={state} onRetry={view.reload} /> : null}
      </Known>
    );
  return (
    <PageFrame
      breadcrumbs={nodeBreadcrumbs(path)}
      icon={<Icon name="type-hierarchy-sub" size="large" />}
      title={path.at(-1) ?? 'All pipelines'}
    >
      <Loaded state={state} what="the node" onRetry={view.reload}>
        {() => <Gone path={path} />}
      </Loaded>
    </PageFrame>
  );
}

function Gone({ path }: { path: NodePath }) {
  const act = useAction();
  return (
    <PageState
      icon="trash"
      state="waiting"
      title={`There is no ${formatPath(path)} in the files any more`}
      detail="It was removed or has another name now. When it comes back, so does this page; its runs are kept."
      role="status"
      actions={[
        {
          title: 'Open its runs',
          run: () => {
            act({ kind: 'openHistory', path });
          },
        },
        {
          title: 'Show pipelines',
          run: () => {
            act({ kind: 'showPipelines' });
          },
        },
      ]}
    />
  );
}

function Known({ view, children }: { view: NodeView; children: ComponentChildren }) {
  const { node } = view;
  const history = useNodeHistory(node.path);
  const chosen = useState<number | null>(null);
  return (
    <NodeFrame view={view} history={history}>
      {children}
      {history.activeRun === null ? null : (
        <FollowRun
          key={history.activeRun.runId}
          runId={history.activeRun.runId}
          onChange={history.onFollowed}
        />
      )}
      <ChosenRunContext.Provider value={chosen}>
        {node.kind === 'pipeline' ? (
          <PipelineContent view={view} history={history} />
        ) : (
          <TaskContent view={view} history={history} />
        )}
      </ChosenRunContext.Provider>
    </NodeFrame>
  );
}

/** Follows a run as long as it stands here. */
function FollowRun({
  runId,
  onChange,
}: {
  runId: number;
  onChange: (details: RunDetailsRecord | null) => void;
}) {
  const { snapshot } = useRun(runId);
  const details = snapshot.kind === 'ready' ? snapshot.details : null;
  useEffect(() => {
    onChange(details);
  }, [details, onChange]);
  return null;
}
