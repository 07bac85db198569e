/** How a node looks in the picture at a moment: its state, and what stands in its second line. Pure. */
import { formatDuration, formatElapsed, plural } from '../../runner/format.ts';
import type { NodeFiguresRecord, NodeRunRecord } from '../../runner/records.ts';
import { kindName } from '../parts/kinds.ts';
import { type ShownState, stateWord } from '../parts/states.ts';
import type { GraphNode } from './model.ts';

export interface Face {
  readonly state: ShownState;
  /** What it is, where that belongs into the second line; empty otherwise. It goes first when there is little room. */
  readonly kind: string;
  /** Second line of a box, and right side of a frame, after the kind. */
  readonly line: string;
  /** Why it failed, as one line. */
  readonly error: string | null;
  /** How far it is, 0 to 1, by expected duration; `null` when it does not run. */
  readonly progress: number | null;
}

/** A run that goes on, as the picture needs it. */
export interface LiveNodes {
  /** By path: the newest attempt. */
  readonly latest: ReadonlyMap<string, NodeRunRecord>;
  /** By path: how it stands; what has no part in the run is missing. */
  readonly states: ReadonlyMap<string, ShownState>;
  /** By path: tasks of the run below it. */
  readonly counts: ReadonlyMap<string, PartCounts>;
  readonly expected: Readonly<Record<string, number>>;
}

export interface PartCounts {
  readonly finished: number;
  readonly running: number;
  readonly failed: number;
}

export function faceOf(
  node: GraphNode,
  figures: NodeFiguresRecord | undefined,
  live: LiveNodes | null,
  now: number,
): Face {
  if (node.kind === 'stub') return { state: 'none', kind: '', line: '', error: null, progress: null };
  if (live?.states.has(node.key) === true) return liveFace(node, live, now);
  const last = figures?.last ?? null;
  const state: ShownState = last?.status ?? 'none';
  if (state === 'failed') return failedFace(node, last);
  const seconds =
    state === 'succeeded'
      ? (figures?.averageDuration ?? durationOf(last))
      : (figures?.averageDuration ?? null);
  if (state === 'succeeded') return plainFace(node, state, seconds === null ? '' : formatDuration(seconds));
  return plainFace(node, state, state === 'none' ? '' : stateWord(state));
}

function plainFace(node: GraphNode, state: ShownState, line: string): Face {
  return { state, kind: what(node), line, error: null, progress: null };
}

function liveFace(node: GraphNode, live: LiveNodes, now: number): Face {
  const run = live.latest.get(node.key);
  const state = live.states.get(node.key) ?? 'queued';
  const expected = live.expected[node.key];
  if (run === undefined || state === 'waiting') return plainFace(node, state, stateWord(state));
  switch (run.status) {
    case 'running': {
      const elapsed = Math.max(0, (now - (run.startedAt ?? now)) / 1000);
      const progress = expected === undefined || expected <= 0 ? null : Math.min(0.97, elapsed / expected);
      const { finished, failed, running } = live.counts.get(node.key) ?? {
        finished: 0,
        failed: 0,
        running: 0,
      };
      if (node.kind === 'pipeline') {
        const state = failed > 0 ? 'failed' : 'running';
        const line =
          failed > 0
            ? `${String(failed)} failed · ${String(running)} running`
            : `${String(finished)} of ${String(node.size)} · ${formatElapsed(elapsed)}`;
        return { state, kind: '', line, error: null, progress };
      }
      // Overdue, the expectation says nothing any more.
      const about =
        expected === undefined || expected < elapsed ? '' : ` of about ${formatElapsed(expected)}`;
      return { ...plainFace(node, state, `${formatElapsed(elapsed)}${about}`), progress };
    }
    case 'failed':
      return failedFace(node, run);
    case 'succeeded':
    case 'unchanged': {
      const seconds = durationOf(run);
      const time = run.status === 'unchanged' || seconds === null ? run.status : formatDuration(seconds);
      const attempts = run.attempt > 1 ? ` · attempt ${String(run.attempt)}` : '';
      return plainFace(node, state, `${time}${attempts}`);
    }
    case 'skipped':
    case 'cancelled':
    case 'lost':
      return plainFace(node, state, run.status);
  }
}

function failedFace(node: GraphNode, run: NodeRunRecord | null): Face {
  const attempt = run !== null && run.attempt > 1 ? `, attempt ${String(run.attempt)}` : '';
  const error = node.kind === 'pipeline' ? undefined : shortError(run?.error ?? '');
  return { state: 'failed', kind: '', line: `failed${attempt}`, error: error ?? null, progress: null };
}

function what(node: GraphNode): string {
  if (node.kind === 'stub') return '';
  return node.kind === 'pipeline' ? plural(node.size, 'node') : kindName(node.kind);
}

/** The first line of an error without the place and the severity at its front. */
export function shortError(error: string): string | undefined {
  const line = error.split('\n').find(each => each.trim() !== '');
  return line?.trim().replace(/^(?:\S*:\d+:\d+: )?(?:ERROR: )?/, '');
}

/** Seconds from start to end, `null` when it has none. */
export function durationOf(run: Pick<NodeRunRecord, 'startedAt' | 'endedAt'> | null): number | null {
  const { startedAt = null, endedAt = null } = run ?? {};
  return startedAt === null || endedAt === null ? null : Math.max(0, (endedAt - startedAt) / 1000);
}

/** The second line of a box: without its kind, or the error, where that does not fit. An error may be cut. */
export function lineOf({ kind, line, error }: Face, fits: (line: string) => boolean): string {
  if (line === '') return kind;
  if (error !== null) return fits(`${line} · ${error.slice(0, leastOfError)}`) ? `${line} · ${error}` : line;
  const whole = kind === '' ? line : `${kind} · ${line}`;
  return fits(whole) ? whole : line;
}

/** Fewer letters of an error say nothing. */
const leastOfError = 16;

/** What a node is called and how it stands, for those who cannot see it. */
export function labelOf(node: GraphNode, face: Face): string {
  if (node.kind === 'stub') return `outside of the graph: ${node.names.join(', ')}`;
  return `${node.title}: ${lineOf(face, () => true)} (${kindName(node.kind)}, ${stateWord(face.state)})`;
}
