/** Where the editor begins. */
import * as vscode from 'vscode';
import { Extension, type MillraceApi } from './extension.ts';
import { useTranslations } from './l10n.ts';

export function activate(context: vscode.ExtensionContext): MillraceApi {
  const begun = performance.now();
  useTranslations((message, ...values) => vscode.l10n.t(message, ...values));
  const log = vscode.window.createOutputChannel('Millrace', { log: true });
  const extension = new Extension(context, log);
  context.subscriptions.push(log, extension);
  extension.begin();
  const activationTime = performance.now() - begun;
  log.info(`Activated in ${activationTime.toFixed(1)} ms`);
  return {
    activationTime,
    describe: () => extension.describe(),
    createSample: target => extension.createSample(target),
  };
}
