/** The store's password, in the editor's secret storage. */
import type * as vscode from 'vscode';

/** One password for each address: another store has another one. */
function keyOf(storeUrl: string): string {
  return `millrace.storePassword:${storeUrl}`;
}

export async function storePassword(
  secrets: vscode.SecretStorage,
  storeUrl: string,
): Promise<string | undefined> {
  return await secrets.get(keyOf(storeUrl));
}

/** An empty password forgets it. */
export async function keepStorePassword(
  secrets: vscode.SecretStorage,
  storeUrl: string,
  password: string,
): Promise<void> {
  if (password === '') await secrets.delete(keyOf(storeUrl));
  else await secrets.store(keyOf(storeUrl), password);
}

/** Tells of each address whose password was changed, in this window or in another one. */
export function onStorePassword(
  secrets: vscode.SecretStorage,
  listener: (isOf: (storeUrl: string) => boolean) => void,
): vscode.Disposable {
  return secrets.onDidChange(({ key }) => {
    listener(storeUrl => keyOf(storeUrl) === key);
  });
}
