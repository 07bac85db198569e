/** What tasks keep from run to run, as they see it: the runner has it, and the worker asks for it. */
import type { IncrementalState } from '../api/context.ts';
import type { NodePath } from '../model.ts';

/** Asks the runner; see the message `state`. */
export type AskState = (method: string, args: readonly unknown[]) => Promise<unknown>;

export function stateOf(nodePath: NodePath, askState: AskState): IncrementalState {
  return {
    async fileDependency(dependencyType) {
      const hash = await askState('fileDependency', [nodePath, dependencyType]);
      return typeof hash === 'string' ? hash : null;
    },
    async setFileDependency(dependencyType, hash) {
      await askState('setFileDependency', [nodePath, dependencyType, hash]);
    },
    async deleteFileDependency(dependencyType) {
      await askState('deleteFileDependency', [nodePath, dependencyType]);
    },
    async copyWatermark(source) {
      const value = await askState('copyWatermark', [nodePath, source]);
      return typeof value === 'string' ? value : null;
    },
    async setCopyWatermark(source, value) {
      await askState('setCopyWatermark', [nodePath, source, value]);
    },
    async deleteCopyWatermark(source) {
      await askState('deleteCopyWatermark', [nodePath, source]);
    },
    async setProcessedFiles(node, files) {
      await askState('setProcessedFiles', [node, files]);
    },
  };
}
