/** Answers what tasks ask about their incremental state: the worker asks, the runner has the store. */
import type { ProcessedFile } from '../api/context.ts';
import type { NodePath } from '../model.ts';
import type { StateRequest } from '../pool/worker-pool.ts';
import type { Store } from '../store/store.ts';

export interface StateService {
  /** @throws when the request is none that a worker can make, or the store cannot be reached. */
  answer(request: StateRequest): Promise<unknown>;
}

/** Without a store nothing is remembered: everything has changed, always. */
export function stateService(store: Store | null): StateService {
  return { answer: request => (store === null ? Promise.resolve(null) : fromStore(store, request)) };
}

async function fromStore(
  store: Store,
  { method, arguments: [path, ...rest] }: StateRequest,
): Promise<unknown> {
  const state = await import('../store/state.ts');
  if (!isPath(path))
    throw new Error(`A question about incremental state needs the path of a node, not ${String(path)}.`);
  const [dependencyType = '', hash = ''] = rest.map(String);
  switch (method) {
    case 'setProcessedFiles':
      return state.setProcessedFiles(store, path, processedFiles(rest[0]));
    case 'fileDependency':
      return state.fileDependency(store, path, dependencyType);
    case 'setFileDependency':
      return state.setFileDependency(store, path, dependencyType, hash);
    case 'deleteFileDependency':
      return state.deleteFileDependency(store, path, dependencyType);
    case 'copyWatermark':
      return state.incrementalCopyStatus(store, path, dependencyType);
    case 'setCopyWatermark':
      return state.setIncrementalCopyStatus(store, path, dependencyType, hash);
    case 'deleteCopyWatermark':
      return state.deleteIncrementalCopyStatus(store, path, dependencyType);
    default:
      throw new Error(`There is no incremental state called "${method}".`);
  }
}

/** @throws when a worker sends something else */
function processedFiles(value: unknown): readonly ProcessedFile[] {
  const isFile = (file: unknown): file is ProcessedFile =>
    typeof file === 'object' &&
    file !== null &&
    'file' in file &&
    typeof file.file === 'string' &&
    'lastModifiedAt' in file &&
    typeof file.lastModifiedAt === 'string';
  if (Array.isArray(value) && value.every(isFile)) return value;
  throw new Error('The processed files of a node must be a list of names and times.');
}

function isPath(value: unknown): value is NodePath {
  return Array.isArray(value) && value.every(id => typeof id === 'string');
}
