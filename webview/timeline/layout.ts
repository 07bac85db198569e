/** Where bars and labels of a timeline stand, in px: pure, so that a resize is one call. */
import type { NodePath } from '../../runner/model.ts';
import type { ShownState } from '../parts/states.ts';
import { share, type TimeScale } from './axis.ts';

/** How a node stands now, which its attempts alone do not say. */
export type NodeState = Exclude<ShownState, 'none'>;

export interface Segment {
  /** `wait`: between attempts; `expected`: what has not happened yet. */
  readonly kind: 'attempt' | 'wait' | 'expected';
  /** How the attempt stands; of the node for what is expected. */
  readonly state: NodeState;
  /** Seconds since the beginning of the run. */
  readonly start: number;
  readonly end: number;
  readonly nodeRunId: number | null;
  readonly attempt: number | null;
  readonly critical: boolean;
}

export interface TimelineNode {
  readonly path: NodePath;
  /** The path below the pipeline that ran. */
  readonly label: string;
  /** Its last id. */
  readonly short: string;
  readonly state: NodeState;
  /** Whether it stands below, with the pipelines. */
  readonly container: boolean;
  /** In order of time, at least one. */
  readonly segments: readonly Segment[];
}

export interface Box {
  readonly left: number;
  readonly width: number;
}

export interface PlacedSegment extends Box {
  readonly segment: Segment;
}

export interface PlacedLabel extends Box {
  readonly text: string;
  /** `over`: on top of the bar, because there is no room beside it. */
  readonly place: 'inside' | 'right' | 'left' | 'over';
}

export interface PlacedNode {
  readonly node: TimelineNode;
  /** Counted from 0. */
  readonly lane: number;
  readonly segments: readonly PlacedSegment[];
  readonly label: PlacedLabel;
}

export interface Lanes {
  readonly placed: readonly PlacedNode[];
  readonly count: number;
}

export interface TimelineLayout {
  readonly tasks: Lanes;
  readonly containers: Lanes;
}

export const MIN_BAR = 3;
/** Between two nodes in one lane. */
const GAP = 8;

export interface LayoutOptions {
  readonly scale: TimeScale;
  /** Px. */
  readonly width: number;
  /** Width in px of a label with its icon and padding. */
  readonly measure: (text: string, container: boolean) => number;
}

/** Packs nodes into as few lanes as their bars and labels allow, in order of time; nothing in a lane overlaps. */
export function layoutTimeline(nodes: readonly TimelineNode[], options: LayoutOptions): TimelineLayout {
  return {
    tasks: pack(
      nodes.filter(node => !node.container),
      options,
    ),
    containers: pack(
      nodes.filter(node => node.container),
      options,
    ),
  };
}

interface Item {
  readonly node: TimelineNode;
  readonly segments: readonly PlacedSegment[];
  readonly label: PlacedLabel;
  readonly left: number;
  readonly right: number;
}

function pack(nodes: readonly TimelineNode[], options: LayoutOptions): Lanes {
  const items = nodes.map(node => place(node, options));
  items.sort((a, b) => a.left - b.left);
  const lanes = new FreeLanes(items.length);
  const placed = items.map(({ node, segments, label, left, right }): PlacedNode => {
    const lane = lanes.take(left, right + GAP);
    return { node, lane, segments, label };
  });
  return { placed, count: lanes.count };
}

/** Where each lane ends, as a tree of minima: the first free one is found in logarithmic time. */
class FreeLanes {
  readonly #size: number;
  /** The lanes are the last `#size` entries; above two entries stands the smaller one. */
  readonly #ends: Float64Array;
  count = 0;

  constructor(most: number) {
    this.#size = 2 ** Math.ceil(Math.log2(Math.max(1, most)));
    this.#ends = new Float64Array(2 * this.#size);
  }

  /** Takes the first lane that is free from `left` on, until `end`. */
  take(left: number, end: number): number {
    let at = 1;
    while (at < this.#size) at = 2 * at + ((this.#ends[2 * at] ?? 0) <= left ? 0 : 1);
    const lane = at - this.#size;
    this.#ends[at] = end;
    for (at >>= 1; at > 0; at >>= 1)
      this.#ends[at] = Math.min(this.#ends[2 * at] ?? 0, this.#ends[2 * at + 1] ?? 0);
    this.count = Math.max(this.count, lane + 1);
    return lane;
  }
}

function place(node: TimelineNode, { scale, width, measure }: LayoutOptions): Item {
  const segments = node.segments.map((segment): PlacedSegment => {
    const start = share(scale, segment.start) * width;
    const end = share(scale, segment.end) * width;
    // A wait is only a line between bars: it needs no width of its own.
    const least = segment.kind === 'wait' ? 0 : MIN_BAR;
    const left = Math.max(0, Math.min(start, width - least));
    return { segment, left, width: Math.max(least, end - left) };
  });
  const first = Math.min(...segments.map(segment => segment.left));
  const last = Math.max(...segments.map(segment => segment.left + segment.width));
  const label =
    // Across the line of the moment only a label stands that has no room elsewhere.
    placeLabel(node.label, measure(node.label, node.container), first, last, widestPart(segments), width) ??
    placeLabel(node.short, measure(node.short, node.container), first, last, widestBar(segments), width) ??
    placeOver(node.short, measure(node.short, node.container), first, width);
  return {
    node,
    segments,
    label,
    left: Math.min(first, label.left),
    right: Math.max(last, label.left + label.width),
  };
}

/** What has happened of the widest attempt; of what has not begun, what is expected. */
function widestPart(segments: readonly PlacedSegment[]): Box {
  const attempts = segments.filter(({ segment }) => segment.kind === 'attempt');
  const parts = attempts.length > 0 ? attempts : segments;
  return parts.reduce<Box>((widest, part) => (part.width > widest.width ? part : widest), {
    left: 0,
    width: 0,
  });
}

/** The widest part without a gap; an attempt and what is expected of it are one. */
function widestBar(segments: readonly PlacedSegment[]): Box {
  let widest: Box = { left: 0, width: 0 };
  let current: Box | null = null;
  for (const { segment, left, width } of segments) {
    if (segment.kind === 'wait') {
      current = null;
      continue;
    }
    current =
      current !== null && segment.kind === 'expected'
        ? { left: current.left, width: Math.max(current.width, left + width - current.left) }
        : { left, width };
    if (current.width > widest.width) widest = current;
  }
  return widest;
}

function placeLabel(
  text: string,
  needed: number,
  first: number,
  last: number,
  widest: Box,
  width: number,
): PlacedLabel | null {
  if (needed <= widest.width) return { text, left: widest.left, width: needed, place: 'inside' };
  if (last + needed <= width) return { text, left: last, width: needed, place: 'right' };
  if (needed <= first) return { text, left: first - needed, width: needed, place: 'left' };
  return null;
}

/** A lane that is narrower than the label cuts it; the tooltip has it whole. */
function placeOver(text: string, needed: number, first: number, width: number): PlacedLabel {
  const fits = Math.min(needed, width);
  return { text, left: Math.max(0, Math.min(first, width - fits)), width: fits, place: 'over' };
}
