/**
 * The lines of a view on output: only those that are seen are there, however many there are (scroll.ts says how).
 * Draws again when its model announces something; scrolling draws once per frame.
 */
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import type { NodePath } from '../../runner/model.ts';
import type { OutputRecord } from '../../runner/records.ts';
import type { PageAction } from '../messages.ts';
import { LogLine } from './log-line.tsx';
import type { OutputModel } from './output-model.ts';
import {
  barHeight,
  barPosition,
  clamp,
  endPlace,
  LINE_HEIGHT,
  moveBy,
  placeAt,
  reveal,
  type ScrollExtent,
  type ScrollPlace,
  START,
} from './scroll.ts';

/** Lines drawn above and below what is seen, so that their heights are known when they come into view. */
const MARGIN = 8;
const MAX_HEIGHTS = 50_000;

/** What others may ask of the view. */
export interface LogControl {
  /** Index of the first line in view. */
  readonly top: number;
  reveal(index: number): void;
  toStart(): void;
  focus(): void;
}

export interface LogViewProps {
  readonly model: OutputModel;
  readonly label: string;
  readonly pipelinePath: NodePath;
  readonly search: string;
  /** Index of the line that a search or a jump stands at. */
  readonly current: number | null;
  /** Stays at the end when lines are added. */
  readonly isFollowing: boolean;
  readonly onFollow: (isFollowing: boolean) => void;
  readonly control: { current: LogControl | null };
  readonly act: (action: PageAction) => void;
  readonly onNode: (record: OutputRecord) => void;
  readonly onOpenDocument: () => void;
}

export function LogView(props: LogViewProps) {
  const { model, isFollowing, onFollow, control } = props;
  const [, redraw] = useReducer<number, undefined>(count => count + 1, 0);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const place = useRef<ScrollPlace>(START);
  const heights = useRef(new Map<number, number>());
  const view = useRef({ height: 400, width: 0 });
  /** Where the bar was put; somebody pulled it when it is elsewhere. */
  const barAt = useRef(0);
  const isPulled = useRef(false);
  const frame = useRef(0);
  const lines = model.extent.lines;
  const extent: ScrollExtent = {
    lines,
    view: view.current.height,
    heightOf: index => heights.current.get(index) ?? LINE_HEIGHT,
  };
  const latest = useRef(extent);
  latest.current = extent;
  const following = useRef(isFollowing);
  following.current = isFollowing;

  const drawSoon = (): void => {
    if (frame.current !== 0) return;
    frame.current = requestAnimationFrame(() => {
      frame.current = 0;
      redraw(undefined);
    });
  };
  const goTo = (to: ScrollPlace): void => {
    place.current = to;
    const end = endPlace(latest.current);
    const isAtEnd = to.index > end.index || (to.index === end.index && to.offset >= end.offset - 1);
    if (isAtEnd !== following.current) onFollow(isAtEnd);
    drawSoon();
  };
  const moveTo = (to: ScrollPlace): void => {
    isPulled.current = false;
    goTo(to);
  };

  control.current = {
    get top() {
      return place.current.index;
    },
    reveal: index => {
      const shown = latest.current;
      moveTo(
        reveal(shown, place.current, moveBy(shown, place.current, shown.view - LINE_HEIGHT).index, index),
      );
    },
    toStart: () => {
      moveTo(START);
    },
    focus: () => scroller.current?.focus(),
  };

  useEffect(() => model.subscribe(drawSoon), [model]);
  useLayoutEffect(() => {
    place.current = START;
    heights.current.clear();
    redraw(undefined);
  }, [model]);

  // The view's size changes with the window.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = (): void => {
      const { clientHeight: height, clientWidth: width } = element;
      if (height === view.current.height && width === view.current.width) return;
      if (width !== view.current.width) heights.current.clear();
      view.current = { height, width };
      redraw(undefined);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame.current);
      frame.current = 0;
    };
  }, []);

  if (isFollowing) place.current = endPlace(extent);
  else place.current = clamp(extent, place.current);
  const first = Math.max(0, place.current.index - MARGIN);
  const end = Math.min(lines, place.current.index + Math.ceil(extent.view / LINE_HEIGHT) + 1 + MARGIN);
  useEffect(() => {
    model.want(first, end);
  });

  // Before anything is seen: measures what was drawn and puts it where it belongs.
  useLayoutEffect(() => {
    const element = scroller.current;
    const holder = rows.current;
    if (element === null || holder === null) return;
    if (heights.current.size > MAX_HEIGHTS) heights.current.clear();
    let hasChanged = false;
    let above = 0;
    for (const child of holder.children) {
      if (!(child instanceof HTMLElement)) continue;
      const index = Number(child.dataset['index']);
      const { height } = child.getBoundingClientRect();
      if (heights.current.get(index) !== height && !child.classList.contains('unread')) {
        heights.current.set(index, height);
        hasChanged = true;
      }
      if (index < place.current.index) above += height;
    }
    if (hasChanged) {
      const before = place.current;
      place.current = following.current ? endPlace(extent) : clamp(extent, before);
      if (place.current.index !== before.index) {
        // The heights say that other lines are to be seen.
        redraw(undefined);
        above = 0;
        for (const child of holder.children)
          if (child instanceof HTMLElement && Number(child.dataset['index']) < place.current.index)
            above += child.getBoundingClientRect().height;
      }
    }
    holder.style.transform = `translateY(${-(above + place.current.offset)}px)`;
    if (!isPulled.current) {
      element.scrollTop = barPosition(extent, place.current);
      barAt.current = element.scrollTop;
    }
  });

  const onWheel = (event: WheelEvent): void => {
    if (event.ctrlKey || event.shiftKey) return;
    const unit =
      event.deltaMode === WheelEvent.DOM_DELTA_LINE
        ? LINE_HEIGHT
        : event.deltaMode === WheelEvent.DOM_DELTA_PAGE
          ? extent.view
          : 1;
    const to = moveBy(latest.current, place.current, event.deltaY * unit);
    // At its ends the wheel scrolls the page.
    if (to.index === place.current.index && to.offset === place.current.offset) return;
    event.preventDefault();
    moveTo(to);
  };
  const onScroll = (): void => {
    const top = scroller.current?.scrollTop ?? 0;
    if (Math.abs(top - barAt.current) < 2) return;
    barAt.current = top;
    isPulled.current = true;
    goTo(placeAt(latest.current, top));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const isOwn = event.target === scroller.current;
    // On a link or a button, Space is for that.
    if (event.altKey || (event.key === ' ' && !isOwn)) return;
    const page = extent.view - LINE_HEIGHT;
    const isFar = event.ctrlKey || event.metaKey;
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: isFar ? -Infinity : -LINE_HEIGHT,
      ArrowDown: isFar ? Infinity : LINE_HEIGHT,
      PageUp: -page,
      PageDown: page,
      Home: -Infinity,
      End: Infinity,
      ' ': event.shiftKey ? -page : page,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    // What has the focus may scroll away.
    if (!isOwn) scroller.current?.focus({ preventScroll: true });
    moveTo(
      step === -Infinity
        ? START
        : step === Infinity
          ? endPlace(latest.current)
          : moveBy(latest.current, place.current, step),
    );
  };

  const shown = [];
  for (let index = first; index < end; index += 1) {
    const record = model.line(index);
    const before = index === 0 ? undefined : model.line(index - 1);
    shown.push(
      <LogLine
        key={index}
        index={index}
        record={record}
        isRepeated={record !== undefined && before?.nodeRunId === record.nodeRunId}
        isCurrent={index === props.current}
        search={props.search}
        pipelinePath={props.pipelinePath}
        act={props.act}
        onNode={props.onNode}
        onOpenDocument={props.onOpenDocument}
      />,
    );
  }
  return (
    <div
      class="log"
      ref={scroller}
      role="log"
      aria-live="off"
      aria-label={props.label}
      tabIndex={0}
      style={{ '--log-lines': String(Math.min(lines, 1000)) }}
      onWheel={onWheel}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div class="log-window">
        <div class="log-lines" ref={rows}>
          {shown}
        </div>
      </div>
      <div class="log-extent" style={{ height: `${barHeight(extent) - extent.view}px` }} />
    </div>
  );
}
