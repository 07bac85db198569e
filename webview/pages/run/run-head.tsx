/** The head of a run's page: what ran, how far it is, and what can be done with it. */
import type { ComponentChildren } from 'preact';
import { formatClock, formatCount, formatDuration, plural } from '../../../runner/format.ts';
import type { RunDetailsRecord, RunRecord } from '../../../runner/records.ts';
import { useAction, usePage } from '../../page.ts';
import { Button, Menu } from '../../parts/buttons.tsx';
import { ActionLink, NodeLink, RunLink } from '../../parts/links.tsx';
import type { ShownState } from '../../parts/states.ts';
import { stateWord } from '../../parts/states.ts';
import { Status } from '../../parts/status.tsx';
import { formatMoment, formatTimeOfDay } from '../../parts/times.ts';
import type { NodeHistory } from '../../timeline/nodes.ts';
import { find } from '../../timeline/planned.ts';
import { leafHistories, progressSegments } from './progress.ts';
import { selectionText, triggerText } from './run-words.ts';

export function RunActions({ run, hasFailed }: { run: RunRecord; hasFailed: boolean }) {
  const act = useAction();
  const { trusted } = usePage();
  const { runId } = run;
  const isRunning = run.status === 'running';
  const isCancelling = run.cancelRequestedAt !== null;
  const untrusted = trusted ? undefined : 'Nothing is executed in a folder that is not trusted';
  return (
    <>
      {isRunning ? (
        <Button
          icon="debug-stop"
          reason={isCancelling ? 'It has been asked to end' : undefined}
          onPress={() => {
            act({ kind: 'cancel', runId });
          }}
        >
          {isCancelling ? 'Cancelling…' : 'Cancel'}
        </Button>
      ) : (
        <Button
          icon="debug-rerun"
          title="Run the same selection with the same parameters"
          reason={untrusted}
          onPress={() => {
            act({ kind: 'rerun', runId });
          }}
        >
          Run again
        </Button>
      )}
      <Button
        icon="debug-restart"
        kind={!isRunning && hasFailed ? 'primary' : 'secondary'}
        title="Run what did not succeed, and what comes after it"
        reason={
          isRunning
            ? 'Available when the run has ended'
            : hasFailed
              ? untrusted
              : 'Nothing failed in this run'
        }
        onPress={() => {
          act({ kind: 'rerunFailed', runId });
        }}
      >
        Re-run failed
      </Button>
      <Menu
        icon="ellipsis"
        label="More actions"
        items={[
          {
            icon: 'debug-rerun',
            title: 'Run again',
            reason: isRunning ? 'Available when the run has ended' : untrusted,
            run: () => {
              act({ kind: 'rerun', runId });
            },
          },
          {
            icon: 'go-to-file',
            title: 'Open output as a document',
            run: () => {
              act({ kind: 'openOutput', runId });
            },
          },
          {
            icon: 'history',
            title: 'Runs of this pipeline',
            run: () => {
              act({ kind: 'openHistory', path: run.pipelinePath });
            },
          },
          {
            icon: 'copy',
            title: 'Copy number of the run',
            run: () => {
              act({ kind: 'copy', text: String(runId) });
            },
          },
        ]}
      />
    </>
  );
}

/** What is to know about a run besides how it goes. */
export function RunFacts({ details, now }: { details: RunDetailsRecord; now: number }) {
  const { run, graph } = details;
  const pipeline = graph === null ? null : find(graph, run.pipelinePath);
  const parameters = Object.entries(run.params);
  return (
    <>
      <Fact name="Pipeline">
        {run.pipelinePath.length === 0 ? (
          <ActionLink action={{ kind: 'showPipelines' }}>everything</ActionLink>
        ) : (
          <NodeLink path={run.pipelinePath}>{run.pipelinePath.join(' / ')}</NodeLink>
        )}
      </Fact>
      <Fact name="Selection">{selectionText(run)}</Fact>
      <Fact name="Started">
        <span title={`by ${run.startedBy} on ${run.host}, Millrace ${run.runnerVersion}`}>
          {formatMoment(run.startedAt, now, 'seconds')}, {triggerText(run.trigger)}
        </span>
      </Fact>
      {parameters.length === 0 ? null : (
        <Fact name="Parameters">
          {parameters.map(([name, value]) => `${name} = ${value === '' ? '(empty)' : value}`).join(', ')}
        </Fact>
      )}
      {pipeline?.maxParallelTasks === undefined ? null : (
        <Fact name="Parallel">{formatCount(pipeline.maxParallelTasks)}</Fact>
      )}
      {pipeline?.onFailure === undefined ? null : (
        <Fact name="On failure">
          {pipeline.onFailure.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)}
        </Fact>
      )}
      {run.resumedFrom === null ? null : (
        <Fact name="Re-run of what failed in">
          <RunLink runId={run.resumedFrom}>run {run.resumedFrom}</RunLink>
        </Fact>
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <span class="fact">
      <span class="dim">{name}</span>
      <span>{children}</span>
    </span>
  );
}

const ORDER: readonly ShownState[] = [
  'succeeded',
  'unchanged',
  'failed',
  'lost',
  'running',
  'waiting',
  'queued',
  'skipped',
  'cancelled',
];

/** How far it is: as text, as counts, and as a bar. */
export function RunProgressBar({
  details,
  histories,
  now,
  progressAt,
}: {
  details: RunDetailsRecord;
  histories: readonly NodeHistory[];
  now: number;
  /** When it was told how far the run is: ms by the clock of this machine. */
  progressAt: number;
}) {
  const { run, progress } = details;
  const isRunning = run.status === 'running';
  const elapsed = Math.max(0, (now - run.startedAt) / 1000);
  const counts = new Map<ShownState, number>();
  for (const { state } of leafHistories(histories)) counts.set(state, (counts.get(state) ?? 0) + 1);
  const total = Math.max(
    progress.total,
    [...counts.values()].reduce((sum, count) => sum + count, 0),
  );
  const percent = Math.floor(Math.min(1, Math.max(0, progress.fraction)) * 100);
  const segments = progressSegments(histories, progress, !isRunning, now);
  return (
    <div class="run-progress">
      <div class="run-progress-words">
        {isRunning ? (
          <>
            <span class="strong figures">{percent} %</span>
            <span class="figures">{formatRunning(elapsed)} elapsed</span>
            <span class="figures">{expectedEnd(run, progress.left, progressAt)}</span>
          </>
        ) : (
          <>
            <span class="strong">{stateWord(run.status)}</span>
            <span class="figures">after {formatDuration(elapsed)}</span>
            {run.endedAt === null ? null : (
              <span class="figures">ended {formatMoment(run.endedAt, Date.now(), 'seconds')}</span>
            )}
          </>
        )}
        <span class="run-counts">
          {ORDER.map(state => {
            const count = counts.get(state) ?? 0;
            return count === 0 ? null : (
              <span key={state} class="run-count" title={`${formatCount(count)} ${stateWord(state)}`}>
                <Status state={state}>
                  <span class="figures">{formatCount(count)}</span>
                  <span class="unseen"> {stateWord(state)}</span>
                </Status>
              </span>
            );
          })}
          <span class="dim">{total === 0 ? 'no tasks' : `of ${plural(total, 'task')}`}</span>
        </span>
      </div>
      <div
        class="run-segments"
        role="progressbar"
        aria-label="Progress by expected duration"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={isRunning ? percent : 100}
      >
        {segments.map(({ state, share }) =>
          share <= 0 ? null : <i key={state} class={`state-${state}`} style={{ flexGrow: share }} />,
        )}
      </div>
    </div>
  );
}

/** Whole seconds, as in `48s`, `1:12m`: it counts on. */
function formatRunning(seconds: number): string {
  return seconds < 60 ? `${Math.floor(seconds)}s` : formatDuration(Math.floor(seconds));
}

function expectedEnd(run: RunRecord, left: number | null, toldAt: number): string {
  if (run.cancelRequestedAt !== null) return 'being cancelled';
  if (left === null) return 'nothing like it has run before, so its end is not known';
  const end = toldAt + left * 1000;
  if (end < Date.now()) return 'it takes longer than before';
  return `about ${formatClock((end - Date.now()) / 1000)} left, ends ${formatTimeOfDay(end, 'seconds')}`;
}
