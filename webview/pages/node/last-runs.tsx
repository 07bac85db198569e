/** Last runs of a node; the one that is chosen is shown with its timeline and its output. */
import { formatDuration, formatElapsed, plural } from '../../../runner/format.ts';
import { formatPath, type NodePath } from '../../../runner/model.ts';
import type { RunRecord } from '../../../runner/records.ts';
import { shortError } from '../../graph/faces.ts';
import { ActionLink, RunLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page-frame.tsx';
import { Loaded, PageState } from '../../parts/page-states.tsx';
import { StatusIcon } from '../../parts/status.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { formatMoment } from '../../parts/times.ts';
import type { NodeHistory } from './node-history.ts';
import { ChosenRun } from './chosen-run-panel.tsx';
import { useChosenRun } from './chosen-run.ts';

export function LastRuns({ path, history }: { path: NodePath; history: NodeHistory }) {
  const [chosen, choose] = useChosenRun();
  return (
    <>
      <Section
        id="runs"
        title="Last runs"
        tools={
          <ActionLink action={{ kind: 'openHistory', ...(path.length === 0 ? {} : { path }) }}>
            All runs
          </ActionLink>
        }
      >
        <Loaded state={history.runs.state} what="the runs" onRetry={history.runs.reload}>
          {({ runs }) =>
            runs.length === 0 ? (
              <PageState
                icon="history"
                title="No run yet"
                detail="“Run” above starts the first one. Runs from a terminal appear here as well."
              />
            ) : (
              <>
                <Table
                  label="Last runs"
                  class="runs"
                  columns={columnsOf(runs, path, history.now)}
                  rows={runs}
                  keyOf={run => String(run.runId)}
                  selected={chosen === null ? null : String(chosen)}
                  onOpen={run => {
                    choose(chosen === run.runId ? null : run.runId);
                  }}
                />
                {chosen === null ? (
                  <p class="dim small hint">Choose a run to see its timeline and its output here.</p>
                ) : null}
              </>
            )
          }
        </Loaded>
      </Section>
      <ChosenRun path={path} />
    </>
  );
}

function columnsOf(runs: readonly RunRecord[], own: NodePath, now: number): readonly Column<RunRecord>[] {
  const secondsOf = ({ startedAt, endedAt }: RunRecord): number =>
    Math.max(0, ((endedAt ?? now) - startedAt) / 1000);
  const longest = Math.max(0.001, ...runs.map(secondsOf));
  const clock = Date.now();
  return [
    {
      id: 'state',
      title: <span class="unseen">Status</span>,
      label: 'Status',
      class: 'run-state',
      cell: run => <StatusIcon state={run.status} />,
    },
    { id: 'run', title: 'Run', numeric: true, class: 'run-id', cell: run => <RunLink runId={run.runId} /> },
    {
      id: 'started',
      title: 'Started',
      class: 'nowrap figures',
      cell: run => formatMoment(run.startedAt, clock),
    },
    {
      id: 'duration',
      title: 'Duration',
      numeric: true,
      class: 'run-duration',
      cell: (run, isNarrow) => (
        <span class={`cost state-${run.status}`}>
          {isNarrow ? null : (
            <span class="cost-bar plain">
              <i style={{ width: `${String(Math.max(2, Math.round((secondsOf(run) / longest) * 100)))}%` }} />
            </span>
          )}
          <span class="cost-text">
            {run.endedAt === null ? formatElapsed(secondsOf(run)) : formatDuration(secondsOf(run))}
          </span>
        </span>
      ),
    },
    {
      id: 'trigger',
      title: 'Trigger',
      from: 720,
      class: 'dim',
      text: run => run.trigger,
      cell: run => run.trigger,
    },
    {
      id: 'selection',
      title: 'Selection',
      from: 640,
      class: 'dim prose',
      text: run => selectionOf(run, own),
      cell: run => selectionOf(run, own),
    },
    {
      id: 'failure',
      title: 'Reason of failure',
      from: 440,
      class: 'prose reason',
      text: ({ failure }) => (failure === null ? null : `${failure.nodePath.join(' / ')}: ${failure.error}`),
      cell: ({ failure, status }) =>
        failure === null ? null : (
          <span class="reason-text">
            {status === 'running' ? <StatusIcon state="failed" /> : null}{' '}
            {failure.nodePath.slice(own.length).join(' / ')}: {shortError(failure.error)}
          </span>
        ),
    },
  ];
}

/** What ran: `everything`, or ids below the node of the page. */
function selectionOf({ pipelinePath, nodePaths, withUpstreams }: RunRecord, own: NodePath): string {
  const upstreams = withUpstreams ? ', with upstreams' : '';
  if (nodePaths.length > 0) {
    const [first = [], ...others] = nodePaths;
    const name = formatPath(first.length > own.length ? first.slice(own.length) : first);
    return `${name}${others.length === 0 ? '' : ` and ${plural(others.length, 'other')}`}${upstreams}`;
  }
  return pipelinePath.length >= own.length
    ? `everything${upstreams}`
    : `${formatPath(pipelinePath) || 'all pipelines'}${upstreams}`;
}
