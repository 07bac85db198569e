/** What the views say when they are empty: the value of `millrace.state` and `millrace.store` in `when` clauses. */
import type { ProjectState } from '../project/project-state.ts';
import { firstLine } from '../wording.ts';

export type WelcomeState =
  | 'noFolder'
  /** The analysis has not told everything yet. */
  | 'loading'
  | 'noPipelines'
  /** There are pipeline files, but not one pipeline could be made out. */
  | 'loadErrors'
  | 'analysisFailed'
  | 'virtual'
  | 'ready';

/** One state for all folders: the view is empty only when none of them has anything to show. */
export function welcomeState(states: readonly ProjectState[]): WelcomeState {
  if (states.length === 0) return 'noFolder';
  if (states.some(({ pipelines }) => pipelines.roots.length > 0)) return 'ready';
  if (states.every(({ analysis }) => analysis.kind === 'virtual')) return 'virtual';
  if (states.some(({ analysis }) => analysis.kind === 'failed')) return 'analysisFailed';
  if (states.some(({ analysis, pipelines }) => analysis.kind !== 'virtual' && !pipelines.complete))
    return 'loading';
  const isBroken = states.some(
    ({ pipelines, loadErrors }) =>
      loadErrors.length > 0 || pipelines.files.some(({ status }) => status === 'failed'),
  );
  return isBroken ? 'loadErrors' : 'noPipelines';
}

export type WelcomeStore = 'closed' | 'connecting' | 'ready' | 'unreachable' | 'broken';

/** The store that something has to be done about, else the best one. */
export function welcomeStore(states: readonly ProjectState[]): WelcomeStore {
  const kinds = states.map(({ service, store }) => (service.kind === 'broken' ? 'broken' : store.kind));
  for (const kind of ['broken', 'unreachable', 'ready', 'connecting'] as const)
    if (kinds.includes(kind)) return kind;
  return 'closed';
}

/** Why the store cannot be reached, in one line; `undefined` when it can. */
export function storeProblem(states: readonly ProjectState[]): string | undefined {
  for (const { service, store } of states) {
    if (service.kind === 'broken') return service.message;
    if (store.kind === 'unreachable') return firstLine(store.detail === '' ? store.message : store.detail);
  }
  return undefined;
}
