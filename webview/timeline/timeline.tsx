/**
 * What ran when: bars in lanes, pipelines below, statistics on the same axis.
 *
 * Keys: the arrows go from node to node, Home and End to the first and the last, Enter opens the output.
 */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatDuration } from '../../runner/format.ts';
import { formatPath, type NodePath } from '../../runner/model.ts';
import { useWidth } from '../page.ts';
import { StatusIcon } from '../parts/status.tsx';
import { stateWord } from '../parts/states.ts';
import { share, type Tick, ticks, type TimeScale } from './axis.ts';
import { type Lanes, layoutTimeline, type PlacedNode, type TimelineNode } from './layout.ts';
import { labelMeasure } from './measure.ts';

const LANE = 24;
/** Px that the label of a tick keeps from that of the moment. */
const NOW_WIDTH = 36;
/** Lanes drawn above and below what is seen. */
const MARGIN = 8;

export interface TimelineProps {
  readonly nodes: readonly TimelineNode[];
  readonly scale: TimeScale;
  /** Seconds since the beginning of the run; `null` after its end. */
  readonly now: number | null;
  /** Path of the node that is selected. */
  readonly selected: NodePath | null;
  /** A click on a label, or on the bar of an attempt. */
  readonly onSelect: (path: NodePath, nodeRunId: number | null) => void;
  /** The same with Ctrl or Cmd. */
  readonly onOpen: (path: NodePath) => void;
  /** Below the lanes, on the same axis: gets the width in px. */
  readonly children?: (width: number) => ComponentChildren;
}

export function Timeline({ nodes, scale, now, selected, onSelect, onOpen, children }: TimelineProps) {
  const [measureRef, width] = useWidth();
  const layout = useMemo(
    () => (width === 0 ? null : layoutTimeline(nodes, { scale, width, measure: labelMeasure() })),
    [nodes, scale.from, scale.to, width],
  );
  const marks = ticks(scale, width);
  const selectedKey = selected === null ? null : formatPath(selected);
  const at = (seconds: number): string => `${share(scale, seconds) * width}px`;
  // Where "now" stands, no other label does.
  const isApart = (tick: Tick): boolean =>
    now === null || Math.abs(share(scale, tick.at) - share(scale, now)) * width > NOW_WIDTH;
  const area = { selectedKey, onSelect, onOpen };
  return (
    <div class="timeline">
      <div class="timeline-plot" style={{ width: width === 0 ? undefined : `${width}px` }} aria-hidden="true">
        {marks.map(tick => (
          <i key={tick.at} class="timeline-grid" style={{ left: at(tick.at) }} />
        ))}
        {now === null ? null : <i class="timeline-now" style={{ left: at(now) }} />}
      </div>
      <LaneArea label="Timeline of tasks" lanes={layout?.tasks ?? EMPTY} measureRef={measureRef} {...area} />
      {layout === null || layout.containers.count === 0 ? null : (
        <LaneArea label="Timeline of pipelines" lanes={layout.containers} {...area} />
      )}
      <div style={{ width: `${width}px` }}>
        {children?.(width)}
        <div class="timeline-axis" aria-hidden="true">
          {marks.filter(isApart).map(tick => (
            <span
              key={tick.at}
              class={`axis-label${share(scale, tick.at) === 0 ? ' first' : ''}${share(scale, tick.at) > 0.98 ? ' last' : ''}`}
              style={{ left: at(tick.at) }}
            >
              {tick.label}
            </span>
          ))}
          {now === null ? null : (
            <span class="axis-label now" style={{ left: at(now) }}>
              now
            </span>
          )}
        </div>
      </div>
    </div>
  );
}

const EMPTY: Lanes = { placed: [], count: 0 };

interface AreaProps {
  readonly label: string;
  readonly lanes: Lanes;
  readonly selectedKey: string | null;
  readonly onSelect: TimelineProps['onSelect'];
  readonly onOpen: TimelineProps['onOpen'];
  readonly measureRef?: (element: HTMLElement | null) => void;
}

/** Lanes that scroll when there are many; only those that are seen are there. */
function LaneArea({ label, lanes, selectedKey, onSelect, onOpen, measureRef }: AreaProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [focused, setFocused] = useState<string | null>(null);
  const [height, setHeight] = useState(480);
  const isFocusWanted = useRef(false);
  const { placed, count } = lanes;
  const first = Math.floor(top / LANE) - MARGIN;
  const last = Math.ceil((top + height) / LANE) + MARGIN;
  const visible = count * LANE <= 600 ? placed : placed.filter(({ lane }) => lane >= first && lane <= last);
  const keyOf = ({ node }: PlacedNode): string => formatPath(node.path);
  const tabStop = visible.some(one => keyOf(one) === focused)
    ? focused
    : visible[0] === undefined
      ? null
      : keyOf(visible[0]);

  useLayoutEffect(() => {
    setHeight(scroller.current?.clientHeight ?? 480);
  }, [count]);
  useLayoutEffect(() => {
    if (!isFocusWanted.current || focused === null) return;
    isFocusWanted.current = false;
    for (const element of scroller.current?.querySelectorAll<HTMLElement>('.timeline-label') ?? [])
      if (element.dataset['key'] === focused) element.focus({ preventScroll: true });
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const at = placed.findIndex(one => keyOf(one) === focused);
    const to = {
      ArrowDown: at + 1,
      ArrowRight: at + 1,
      ArrowUp: at - 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: placed.length - 1,
    }[event.key];
    const next = to === undefined ? undefined : placed[Math.max(0, Math.min(placed.length - 1, to))];
    const element = scroller.current;
    if (next === undefined || element === null) return;
    event.preventDefault();
    const y = next.lane * LANE;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + LANE > element.scrollTop + element.clientHeight)
      element.scrollTop = y + LANE - element.clientHeight;
    isFocusWanted.current = true;
    setTop(element.scrollTop);
    setFocused(keyOf(next));
  };
  return (
    <div
      class={`timeline-area${measureRef === undefined ? ' containers' : ''}`}
      ref={scroller}
      role="group"
      aria-label={label}
      onKeyDown={onKeyDown}
      onScroll={event => {
        const y = event.currentTarget.scrollTop;
        if (Math.abs(y - top) >= LANE * (MARGIN / 2)) setTop(y);
      }}
    >
      <div class="timeline-lanes" ref={measureRef ?? null} style={{ height: `${count * LANE}px` }}>
        {visible.map(one => (
          <NodeBars
            key={keyOf(one)}
            placed={one}
            isSelected={keyOf(one) === selectedKey}
            isTabStop={keyOf(one) === tabStop}
            onFocus={setFocused}
            onSelect={onSelect}
            onOpen={onOpen}
          />
        ))}
      </div>
    </div>
  );
}

function NodeBars({
  placed,
  isSelected,
  isTabStop,
  onFocus,
  onSelect,
  onOpen,
}: {
  placed: PlacedNode;
  isSelected: boolean;
  isTabStop: boolean;
  onFocus: (key: string) => void;
  onSelect: TimelineProps['onSelect'];
  onOpen: TimelineProps['onOpen'];
}) {
  const { node, segments, label, lane } = placed;
  const key = formatPath(node.path);
  const title = describe(node);
  const press = (nodeRunId: number | null) => (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey) onOpen(node.path);
    else onSelect(node.path, nodeRunId);
  };
  return (
    <div class={`timeline-node${isSelected ? ' selected' : ''}`} style={{ top: `${lane * LANE}px` }}>
      {segments.map(({ segment, left, width }, index) => (
        <i
          key={index}
          class={`bar ${segment.kind} state-${segment.state}`}
          style={{ left: `${left}px`, width: `${width}px` }}
          title={title}
          onClick={press(segment.nodeRunId)}
        />
      ))}
      {segments.map(({ segment, left, width }, index) =>
        segment.critical ? (
          <i
            key={`critical ${index}`}
            class="bar-critical"
            style={{ left: `${left}px`, width: `${Math.max(4, width)}px` }}
          />
        ) : null,
      )}
      <button
        type="button"
        class={`timeline-label ${label.place}`}
        data-key={key}
        tabIndex={isTabStop ? 0 : -1}
        style={{ left: `${label.left}px`, maxWidth: `${label.width}px` }}
        title={title}
        aria-pressed={isSelected}
        onFocus={() => {
          onFocus(key);
        }}
        onClick={press(null)}
      >
        <StatusIcon state={node.state} />
        <span>{label.text}</span>
      </button>
    </div>
  );
}

function describe(node: TimelineNode): string {
  const attempts = node.segments.filter(({ kind }) => kind === 'attempt');
  const lines = attempts.map(({ state, start, end, attempt }) => {
    const number = attempts.length > 1 ? `attempt ${attempt ?? ''}: ` : '';
    return `${number}${stateWord(state)}, ${formatDuration(end - start)}`;
  });
  const expected = node.segments.find(({ kind }) => kind === 'expected');
  if (expected !== undefined && attempts.length === 0)
    lines.push(`queued, expected to take ${formatDuration(expected.end - expected.start)}`);
  else if (expected !== undefined)
    lines.push(`expected: ${formatDuration(expected.end - expected.start)} more`);
  if (node.segments.some(({ critical }) => critical)) lines.push('on the critical path');
  return [node.label, ...lines, 'Click: its output. Ctrl+click: its page.'].join('\n');
}
