/** The settings, typed. Their defaults stand in package.json alone. */
import * as vscode from 'vscode';
import type { LensSettings } from './lenses/lens-titles.ts';
import type { NotificationLevel } from './notifications/run-notification.ts';

export type RevealRun = 'never' | 'onFailure' | 'always';

const section = 'millrace';

export function lensSettings(): LensSettings {
  const lens = vscode.workspace.getConfiguration(`${section}.codeLens`);
  const isOn = (name: keyof LensSettings): boolean => lens.get<boolean>(name) === true;
  return {
    run: isOn('run'),
    runWithUpstreams: isOn('runWithUpstreams'),
    graph: isOn('graph'),
    lastRun: isOn('lastRun'),
  };
}

export function notificationLevel(): NotificationLevel {
  const level = vscode.workspace.getConfiguration(section).get<unknown>('notifications');
  return level === 'never' || level === 'all' ? level : 'failures';
}

export function revealRun(): RevealRun {
  const when = vscode.workspace.getConfiguration(section).get<unknown>('revealRun');
  return when === 'always' || when === 'onFailure' ? when : 'never';
}

export function loadsAfterSave(folder: vscode.Uri): boolean {
  return vscode.workspace.getConfiguration(section, folder).get<boolean>('loadAfterSave') === true;
}

export function offersTasks(folder: vscode.Uri): boolean {
  return vscode.workspace.getConfiguration(section, folder).get<boolean>('tasks.autoDetect') === true;
}

/** Address of the store without a password; `undefined` when the setting is empty. */
export function storeUrl(folder: vscode.Uri): string | undefined {
  return textSetting('store.url', folder);
}

/** The user's Node; `undefined`: the editor's own. */
export function nodePath(folder: vscode.Uri): string | undefined {
  return textSetting('nodePath', folder);
}

/** Whether a change of settings is about processes that have to be started anew. */
export function concernsProcesses(event: vscode.ConfigurationChangeEvent, folder: vscode.Uri): boolean {
  return ['nodePath', 'store.url'].some(name => event.affectsConfiguration(`${section}.${name}`, folder));
}

export function concernsLenses(event: vscode.ConfigurationChangeEvent): boolean {
  return event.affectsConfiguration(`${section}.codeLens`);
}

/** Settings that say something else than their default, with where that is said. */
export function changedSettings(
  folder: vscode.Uri,
): { readonly key: string; readonly value: string; readonly origin: 'user' | 'workspace' | 'folder' }[] {
  const configuration = vscode.workspace.getConfiguration(section, folder);
  const names = [
    'notifications',
    'revealRun',
    'loadAfterSave',
    'nodePath',
    'tasks.autoDetect',
    'store.url',
    'codeLens.run',
    'codeLens.runWithUpstreams',
    'codeLens.graph',
    'codeLens.lastRun',
  ];
  return names.flatMap(name => {
    const found = configuration.inspect<unknown>(name);
    const origin =
      found?.workspaceFolderValue !== undefined
        ? 'folder'
        : found?.workspaceValue !== undefined
          ? 'workspace'
          : found?.globalValue !== undefined
            ? 'user'
            : undefined;
    const value: unknown = configuration.get(name);
    return origin === undefined
      ? []
      : [
          {
            key: `${section}.${name}`,
            value: typeof value === 'string' ? value : JSON.stringify(value),
            origin,
          } as const,
        ];
  });
}

function textSetting(name: string, folder: vscode.Uri): string | undefined {
  const value = vscode.workspace.getConfiguration(section, folder).get<unknown>(name);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
