/** Where the editor begins. */
import * as vscode from 'vscode';
import { Extension, type MillraceApi } from './extension.ts';
import { useTranslations } from './l10n.ts';

export function activate(context: vscode.ExtensionContext): MillraceApi {
  const begun = performance.now();
  useTranslations((message, ...values) => vscode.l10n.t(message, ...values));
  const log = vscode.window.createOutputChannel('Millrace', { log: true });
  const extension = new Extension(context, log);
  // In the order in which they are disposed of: what ends may have something to say.
  context.subscriptions.push(extension, log);
  extension.begin();
  const activationTime = performance.now() - begun;
  log.info(`Activated in ${activationTime.toFixed(1)} ms`);
  return {
    activationTime,
    describe: () => extension.describe(),
    createSample: target => extension.createSample(target),
  };
}
