/** Answers what tasks ask about their incremental state: the worker asks, the runner has the store. */
import type { NodePath } from '../model.ts';
import type { StateRequest } from '../pool/worker-pool.ts';
import type { Store } from '../store/store.ts';

export interface StateService {
  answer(request: StateRequest): Promise<unknown>;
}
export function stateService(store: Store | null): StateService {
  void store;
  return { answer: (request) => Promise.resolve(request.method.startsWith('file') ? null : undefined as NodePath | undefined) };
}
