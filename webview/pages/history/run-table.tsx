/**
 * Runs, newest first, by day. It is a table with rows that can be selected.
 *
 * Keys: the arrows, Home and End move between runs, Enter opens one.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatDuration } from '../../../runner/format.ts';
import type { RunRecord } from '../../../runner/records.ts';
import { stripAnsi } from '../../output/ansi.ts';
import { useAction, useWidth } from '../../page.ts';
import { Icon } from '../../parts/icon.tsx';
import { ActionLink, NodeLink, RunLink } from '../../parts/links.tsx';
import { Status, StatusIcon } from '../../parts/status.tsx';
import { formatMoment, formatTimeOfDay } from '../../parts/times.ts';
import { labelOf } from '../../timeline/nodes.ts';
import { pipelineText, selectionText, triggerWord } from '../run/run-words.ts';
import { groupByDay } from './day-groups.ts';

export interface RunTableProps {
  /** Newest first. */
  readonly runs: readonly RunRecord[];
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly now: number;
  readonly selected: number | null;
  readonly onSelect: (runId: number) => void;
  readonly onMore: () => void;
}

export function RunTable({ runs, hasMore, isLoading, now, selected, onSelect, onMore }: RunTableProps) {
  const act = useAction();
  const [measure, width] = useWidth();
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLTableElement>(null);
  const [focused, setFocused] = useState<number | null>(null);
  const longest = runs.reduce((most, run) => Math.max(most, durationOf(run, now)), 0);
  const isNarrow = width > 0 && width < 616;
  const has = { selection: width >= 952, trigger: width >= 616, pipeline: width >= 616 };
  const columns = 5 + Number(has.selection) + Number(has.trigger) + Number(has.pipeline);
  const tabStop = runs.some(run => run.runId === focused) ? focused : (selected ?? runs[0]?.runId);

  // More is asked for when the end comes into view, and as long as it stays there.
  const loadIfAtEnd = (): void => {
    const element = scroller.current;
    if (element !== null && hasMore && element.scrollTop + element.clientHeight > element.scrollHeight - 400)
      onMore();
  };
  useEffect(loadIfAtEnd, [runs.length, hasMore, isLoading]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const { target } = event;
    if (!(target instanceof HTMLTableRowElement)) return;
    const at = runs.findIndex(run => String(run.runId) === target.dataset['run']);
    if (event.key === 'Enter') {
      const run = runs[at];
      if (run !== undefined) act({ kind: 'openRun', runId: run.runId });
      event.preventDefault();
      return;
    }
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: runs.length - 1,
      PageDown: at + 10,
      PageUp: at - 10,
    }[event.key];
    const next = to === undefined ? undefined : runs[Math.max(0, Math.min(runs.length - 1, to))];
    if (next === undefined) return;
    event.preventDefault();
    setFocused(next.runId);
    onSelect(next.runId);
    const row = [...(body.current?.rows ?? [])].find(
      element => element.dataset['run'] === String(next.runId),
    );
    row?.focus();
  };

  return (
    <div class="run-table-holder" ref={measure}>
      <div class="run-table-scroller" ref={scroller} onScroll={loadIfAtEnd}>
        <table class="run-table" role="grid" aria-label="Runs" ref={body} onKeyDown={onKeyDown}>
          <thead>
            <tr>
              <th scope="col">{isNarrow ? <span class="unseen">Outcome</span> : 'Outcome'}</th>
              <th scope="col" class="numeric">
                Run
              </th>
              <th scope="col" aria-sort="descending" class="sorted">
                Started <Icon name="arrow-down" size="small" />
              </th>
              <th scope="col" class="numeric">
                Duration
              </th>
              {has.pipeline ? <th scope="col">Pipeline</th> : null}
              {has.selection ? <th scope="col">Selection</th> : null}
              {has.trigger ? <th scope="col">Trigger</th> : null}
              <th scope="col">Reason of failure</th>
            </tr>
          </thead>
          {groupByDay(runs, now).map(({ title, runs: ofDay }) => (
            <tbody key={title}>
              <tr class="day">
                <th colSpan={columns} scope="rowgroup">
                  {title}
                </th>
              </tr>
              {ofDay.map(run => (
                <tr
                  key={run.runId}
                  data-run={run.runId}
                  class={selected === run.runId ? 'selected' : undefined}
                  aria-selected={selected === run.runId}
                  tabIndex={tabStop === run.runId ? 0 : -1}
                  title={tooltip(run, now)}
                  onFocus={() => {
                    setFocused(run.runId);
                  }}
                  onClick={() => {
                    onSelect(run.runId);
                  }}
                  onDblClick={() => {
                    act({ kind: 'openRun', runId: run.runId });
                  }}
                >
                  <td class="outcome">
                    {isNarrow ? <StatusIcon state={run.status} /> : <Status state={run.status} />}
                  </td>
                  <td class="numeric">
                    <RunLink runId={run.runId} />
                  </td>
                  <td class="figures nowrap">{formatTimeOfDay(run.startedAt)}</td>
                  <td class="numeric duration">
                    <DurationBar run={run} now={now} longest={longest} isBar={!isNarrow} />
                  </td>
                  {has.pipeline ? (
                    <td class="cut">
                      {run.pipelinePath.length === 0 ? (
                        <span class="dim">everything</span>
                      ) : (
                        <NodeLink path={run.pipelinePath} focusable={false}>
                          {pipelineText(run.pipelinePath)}
                        </NodeLink>
                      )}
                    </td>
                  ) : null}
                  {has.selection ? <td class="dim cut">{selectionText(run)}</td> : null}
                  {has.trigger ? <td class="dim">{triggerWord(run.trigger)}</td> : null}
                  <td class="reason">
                    <Reason run={run} />
                  </td>
                </tr>
              ))}
            </tbody>
          ))}
        </table>
        {hasMore ? (
          <p class="run-table-more dim" role="status">
            {isLoading ? 'Loading older runs…' : 'Scroll for older runs'}
          </p>
        ) : null}
      </div>
    </div>
  );
}

function DurationBar({
  run,
  now,
  longest,
  isBar,
}: {
  run: RunRecord;
  now: number;
  longest: number;
  isBar: boolean;
}) {
  const duration = durationOf(run, now);
  return (
    <>
      {isBar ? (
        <span class={`duration-bar state-${run.status}`} aria-hidden="true">
          <i style={{ width: `${longest === 0 ? 0 : Math.max(1, (duration / longest) * 100)}%` }} />
        </span>
      ) : null}
      <span class="duration-text">
        {run.status === 'running' && duration >= 1
          ? formatDuration(Math.floor(duration))
          : formatDuration(duration)}
      </span>
    </>
  );
}

/** Why it did not succeed. */
function Reason({ run }: { run: RunRecord }) {
  const { failure, status } = run;
  if (failure !== null)
    return (
      <>
        {status === 'running' ? <StatusIcon state="failed" /> : null}
        {status === 'running' ? ' ' : null}
        <ActionLink
          action={{ kind: 'openRun', runId: run.runId, path: failure.nodePath }}
          title={`${failure.nodePath.join(' / ')} in run ${run.runId}`}
          focusable={false}
        >
          {labelOf(failure.nodePath, run.pipelinePath)}
        </ActionLink>{' '}
        <span>{errorWords(failure.error)}</span>
      </>
    );
  switch (status) {
    case 'cancelled':
      return <span class="dim">cancelled</span>;
    case 'lost':
      return <span class="dim">the runner died before it could say how the run ended</span>;
    default:
      return null;
  }
}

/** The first line, without the place and the word that everything here begins with; the page of the run has them. */
function errorWords(error: string): string {
  const [line = ''] = error.split('\n');
  return stripAnsi(line)
    .replace(/^\S+:\d+:\d+: (?=ERROR:)/, '')
    .replace(/^ERROR:\s*/, '');
}

export function durationOf({ startedAt, endedAt }: RunRecord, now: number): number {
  return Math.max(0, ((endedAt ?? now) - startedAt) / 1000);
}

function tooltip(run: RunRecord, now: number): string {
  return [
    `Run ${run.runId}: ${run.status}`,
    `Pipeline: ${pipelineText(run.pipelinePath)}`,
    `Selection: ${selectionText(run)}`,
    `Started: ${formatMoment(run.startedAt, now, 'seconds')}, ${triggerWord(run.trigger)}, by ${run.startedBy} on ${run.host}`,
    'Double click or Enter: its page',
  ].join('\n');
}
