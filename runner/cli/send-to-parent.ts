/** What commands tell the process that forked them, over Node's channel: nothing that user code prints gets in between. */
import type { ConfigurationRecord, TaskDocsRecord } from '../records.ts';

export type ProjectMessage =
  | {
      readonly type: 'configuration';
      readonly records: readonly ConfigurationRecord[];
      /** With its password; `null`: the embedded server. */
      readonly storeUrl: string | null;
    }
  | { readonly type: 'docs'; readonly docs: TaskDocsRecord };

/** Resolves when it is on its way, so that the process may end. */
export async function sendToParent(message: ProjectMessage): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (process.send === undefined) throw new Error('there is no channel to a parent process');
  process.send(message, undefined, undefined, error => {
    if (error === null) resolve();
    else reject(error);
  });
  await promise;
}
