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

export type WelcomeStore =
  | 'closed'
  | 'connecting'
  | 'ready'
  | 'unreachable'
  /** It answers, but wants another password than the editor keeps for it. */
  | 'refused'
  | 'broken';

/** The store that something has to be done about, else the best one. */
export function welcomeStore(states: readonly ProjectState[]): WelcomeStore {
  const kinds = states.map(kindOf);
  for (const kind of ['broken', 'unreachable', 'refused', 'ready', 'connecting'] as const)
    if (kinds.includes(kind)) return kind;
  return 'closed';
}

function kindOf({ service, store }: ProjectState): WelcomeStore {
  if (service.kind === 'broken') return 'broken';
  const wantsPassword =
    store.kind === 'unreachable' &&
    refusesUser(store.message) &&
    store.message.includes('the setting millrace.store.url');
  return wantsPassword ? 'refused' : store.kind;
}

/** Whether every history was read, and there is nothing in it. */
export function neverRan(states: readonly ProjectState[]): boolean {
  const read = states.filter(({ pipelines }) => pipelines.roots.length > 0);
  return (
    read.length > 0 &&
    read.every(({ store, runs, live }) => store.kind === 'ready' && runs?.total === 0 && live.size === 0)
  );
}

/** Whether the runner says that a store wants another user or password. */
export function refusesUser(message: string): boolean {
  return message.includes(' refuses user "');
}

/** Why the store cannot be reached, in one line; `undefined` when it can. */
export function storeProblem(states: readonly ProjectState[]): string | undefined {
  for (const { service, store } of states) {
    if (service.kind === 'broken') return service.message;
    if (store.kind === 'unreachable') return firstLine(store.detail === '' ? store.message : store.detail);
  }
  return undefined;
}
