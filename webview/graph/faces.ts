/** How a node looks in the picture at a moment: its state, and what stands in its second line. Pure. */
import { formatDuration, formatElapsed, plural } from '../../runner/format.ts';
import type { NodeFiguresRecord, NodeRunRecord } from '../../runner/records.ts';
import { kindName } from '../parts/kinds.ts';
import { type ShownState, stateWord } from '../parts/states.ts';
import type { GraphNode } from './model.ts';

export interface Face {
  readonly state: ShownState;
  /** Second line of a box, and right side of a frame. */
  readonly line: string;
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
  if (node.kind === 'stub') return { state: 'none', line: '', progress: null };
  if (live?.states.has(node.key) === true) return liveFace(node, live, now);
  const last = figures?.last ?? null;
  const state: ShownState = last?.status ?? 'none';
  const parts = [what(node)];
  if (state === 'failed') return { state, line: failedLine(node, last), progress: null };
  const seconds =
    state === 'succeeded'
      ? (figures?.averageDuration ?? durationOf(last))
      : (figures?.averageDuration ?? null);
  if (state === 'succeeded' && seconds !== null) parts.push(formatDuration(seconds));
  else if (state !== 'none' && state !== 'succeeded') parts.push(stateWord(state));
  return { state, line: parts.join(' · '), progress: null };
}

function liveFace(node: GraphNode, live: LiveNodes, now: number): Face {
  const run = live.latest.get(node.key);
  const state = live.states.get(node.key) ?? 'queued';
  const expected = live.expected[node.key];
  if (run === undefined || state === 'waiting')
    return { state, line: `${what(node)} · ${stateWord(state)}`, progress: null };
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
        return { state, line, progress };
      }
      // Overdue, the expectation says nothing any more.
      const about =
        expected === undefined || expected < elapsed ? '' : ` of about ${formatElapsed(expected)}`;
      return { state, line: `${what(node)} · ${formatElapsed(elapsed)}${about}`, progress };
    }
    case 'failed':
      return { state, line: failedLine(node, run), progress: null };
    case 'succeeded':
    case 'unchanged': {
      const seconds = durationOf(run);
      const time = run.status === 'unchanged' || seconds === null ? run.status : formatDuration(seconds);
      const attempts = run.attempt > 1 ? ` · attempt ${String(run.attempt)}` : '';
      return { state, line: `${what(node)} · ${time}${attempts}`, progress: null };
    }
    case 'skipped':
    case 'cancelled':
    case 'lost':
      return { state, line: `${what(node)} · ${run.status}`, progress: null };
  }
}

function failedLine(node: GraphNode, run: NodeRunRecord | null): string {
  const error = run?.error == null ? undefined : shortError(run.error);
  const attempt = run !== null && run.attempt > 1 ? `, attempt ${String(run.attempt)}` : '';
  return error === undefined || node.kind === 'pipeline' ? `failed${attempt}` : `failed${attempt} · ${error}`;
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

/** What a node is called and how it stands, for those who cannot see it. */
export function labelOf(node: GraphNode, face: Face): string {
  if (node.kind === 'stub') return `outside of the graph: ${node.names.join(', ')}`;
  return `${node.title}: ${face.line} (${kindName(node.kind)}, ${stateWord(face.state)})`;
}
