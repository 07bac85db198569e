/** The section of a run that shows when what ran: as a picture, and as tables. */
import { useMemo, useState } from 'preact/hooks';
import { formatPath, type NodePath } from '../../../runner/model.ts';
import type { RunDetailsRecord, StatisticsRecord } from '../../../runner/records.ts';
import { useAction } from '../../page.ts';
import { Tool } from '../../parts/buttons.tsx';
import { Section } from '../../parts/page-frame.tsx';
import { stateWord } from '../../parts/states.ts';
import { roundUp } from '../../timeline/axis.ts';
import type { NodeState } from '../../timeline/layout.ts';
import { type NodeHistory, type TimelineContent, timelineContent } from '../../timeline/nodes.ts';
import { StatisticsChart } from '../../timeline/statistics-chart.tsx';
import { Timeline } from '../../timeline/timeline.tsx';
import { type RunSelection, useRunNow } from './run-panel.tsx';
import { AttemptTable, StatisticsTable } from './run-tables.tsx';

export interface TimelineSectionProps {
  readonly details: RunDetailsRecord;
  readonly histories: readonly NodeHistory[];
  readonly statistics: readonly StatisticsRecord[];
  readonly path?: NodePath;
  readonly selected: NodePath | null;
  readonly onSelect: (selection: RunSelection) => void;
}

export function TimelineSection({
  details,
  histories,
  statistics,
  path,
  selected,
  onSelect,
}: TimelineSectionProps) {
  const act = useAction();
  const [isTable, setTable] = useState(false);
  const { run } = details;
  const isRunning = run.status === 'running';
  // Many nodes take their time to lay out.
  const now = useRunNow(details, histories.length > 1000 ? 2000 : 500);
  const content = useMemo(
    () => timelineContent(details, histories, now, path),
    [details, histories, now, path === undefined ? null : formatPath(path)],
  );
  const elapsed = (now - run.startedAt) / 1000;
  const left = details.progress.left ?? 0;
  const scale = isRunning
    ? {
        from: content.from,
        to:
          content.from +
          roundUp(Math.max(content.to, path === undefined ? elapsed + left : 0) - content.from),
      }
    : { from: content.from, to: Math.max(content.to, content.from + 0.001) };
  const current = isRunning ? elapsed : null;
  return (
    <Section
      id="timeline"
      title="Timeline"
      tools={
        <>
          {isTable ? null : <Keys content={content} />}
          <Tool
            icon="table"
            label="Show as tables"
            word="As table"
            pressed={isTable}
            onPress={() => {
              setTable(!isTable);
            }}
          />
        </>
      }
    >
      {isTable ? (
        <>
          <AttemptTable details={details} histories={histories} />
          <StatisticsTable records={statistics} />
        </>
      ) : content.nodes.length === 0 ? (
        <p class="dim">{isRunning ? 'Nothing has begun yet' : 'Nothing ran'}</p>
      ) : (
        <Timeline
          nodes={content.nodes}
          scale={scale}
          now={current}
          selected={selected}
          onSelect={(chosen, nodeRunId) => {
            onSelect({ path: chosen, nodeRunId });
          }}
          onOpen={chosen => {
            act({ kind: 'openNode', path: chosen });
          }}
        >
          {width => (
            <StatisticsChart
              records={statistics}
              startedAt={run.startedAt}
              scale={scale}
              width={width}
              now={current}
            />
          )}
        </Timeline>
      )}
    </Section>
  );
}

const ORDER: readonly NodeState[] = ['succeeded', 'unchanged', 'failed', 'running', 'cancelled', 'lost'];

/** What the forms mean that are there. */
function Keys({ content }: { content: TimelineContent }) {
  const segments = content.nodes.flatMap(node => node.segments);
  const states = new Set(segments.filter(({ kind }) => kind === 'attempt').map(({ state }) => state));
  const has = (kind: 'wait' | 'expected'): boolean => segments.some(segment => segment.kind === kind);
  return (
    <span class="keys timeline-keys">
      {ORDER.filter(state => states.has(state)).map(state => (
        <span key={state}>
          <i class={`bar attempt state-${state}`} />
          {stateWord(state)}
        </span>
      ))}
      {has('expected') ? (
        <span>
          <i class="bar expected state-running" />
          expected
        </span>
      ) : null}
      {has('wait') ? (
        <span>
          <i class="bar wait state-waiting" />
          waits to retry
        </span>
      ) : null}
      {segments.some(({ critical }) => critical) ? (
        <span>
          <i class="bar-critical" />
          critical path
        </span>
      ) : null}
    </span>
  );
}
