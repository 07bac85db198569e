/** What failed in a run, what that left out, and what goes on: as the cards of the page tell it. */
import { formatPath, isAtOrBelow, type NodePath, parsePath } from '../../../runner/model.ts';
import type { NodeRunRecord } from '../../../runner/records.ts';
import type { NodeHistory } from '../../timeline/nodes.ts';
import { leafHistories } from './progress.ts';

export interface FailedNode {
  readonly history: NodeHistory;
  /** The last attempt. */
  readonly last: NodeRunRecord;
  /** Tasks that were skipped because of it. */
  readonly skippedTasks: number;
  /** Nodes that were skipped because of it, without what is inside of them. */
  readonly skipped: readonly NodePath[];
}

/** Tasks that failed for good or were lost, in the order in which they ended. */
export function failedNodes(histories: readonly NodeHistory[]): FailedNode[] {
  const failed = leafHistories(histories)
    .filter(({ state }) => state === 'failed' || state === 'lost')
    .flatMap(history => {
      const last = history.attempts.at(-1);
      return last === undefined ? [] : [{ history, last }];
    })
    // A parallel task that failed because of its sub-tasks says nothing that they do not say.
    .filter(
      ({ history, last }, _, all) =>
        (last.error ?? '') !== '' ||
        !all.some(other => other.history !== history && isAtOrBelow(other.history.path, history.path)),
    )
    .sort((a, b) => (a.last.endedAt ?? Infinity) - (b.last.endedAt ?? Infinity));
  const skipped = new Map<NodeHistory, NodeHistory[]>();
  for (const history of histories) {
    if (history.state !== 'skipped') continue;
    const cause = causeOf(history.attempts.at(-1)?.reason ?? null);
    if (cause === null) continue;
    const found = failed.find(({ history: { path } }) => isAtOrBelow(path, cause));
    if (found === undefined) continue;
    const list = skipped.get(found.history) ?? [];
    list.push(history);
    skipped.set(found.history, list);
  }
  return failed.map(({ history, last }) => {
    const all = skipped.get(history) ?? [];
    const paths = all.map(({ path }) => path);
    return {
      history,
      last,
      skippedTasks: leafHistories(all).length,
      skipped: paths.filter(
        path => !paths.some(other => other.length < path.length && isAtOrBelow(path, other)),
      ),
    };
  });
}

/** The node named last in a reason: `upstream "a/b" failed`, `pipeline "a" stopped after "a/b" failed`. */
function causeOf(reason: string | null): NodePath | null {
  const named = [...(reason ?? '').matchAll(/"([^"]+)"/g)].at(-1)?.[1];
  return named === undefined ? null : parsePath(named);
}

/** What runs commands right now, the longest first. */
export function runningNodes(histories: readonly NodeHistory[]): NodeHistory[] {
  const running = leafHistories(histories).filter(({ state }) => state === 'running');
  const around = new Set(running.map(({ path }) => formatPath(path.slice(0, -1))));
  return running
    .filter(({ path, kind }) => kind === 'task' || !around.has(formatPath(path)))
    .sort((a, b) => (a.attempts.at(-1)?.startedAt ?? 0) - (b.attempts.at(-1)?.startedAt ?? 0));
}
