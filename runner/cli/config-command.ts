/** `millrace config`: the configuration that is in force, and where each value comes from. */
import { projectConfigKeys, type ProjectConfig } from '../api/config.ts';
import { masker, secretsOf } from '../engine/masks.ts';
import { environmentVariable, type EffectiveConfig } from '../loader/config.ts';
import type { LoadedProject } from '../loader/load-project.ts';
import type { ConfigurationRecord } from '../records.ts';
import { exitCodes } from './exit-codes.ts';
import { formatTable } from './format.ts';
import { openProject, projectDirectory } from './open-project.ts';
import { sendToParent } from './send-to-parent.ts';
import type { Terminal } from './terminal.ts';

export interface ConfigCommandOptions {
  readonly json?: true;
  /** Sends it over the channel of a fork instead, with the URL of the store as it is. */
  readonly send?: true;
}

export async function configCommand(terminal: Terminal, options: ConfigCommandOptions): Promise<number> {
  const directory = projectDirectory(terminal);
  const project = await openProject(terminal, directory, { files: [] });
  const records = configurationOf(project);
  if (options.send === true) {
    await sendToParent({ type: 'configuration', records, storeUrl: project.config.store ?? null });
  } else if (options.json === true) {
    terminal.stdout.write(`${JSON.stringify(records, null, 2)}\n`);
  } else {
    const lines = formatTable(
      [{ title: 'key' }, { title: 'value' }, { title: 'from', style: cell => terminal.style('dim', cell) }],
      records.map(({ key, value, origin }) => [key, value, origin]),
      terminal.stdout.isTTY ? terminal.stdout.columns : Infinity,
    );
    terminal.stdout.write(`${lines.join('\n')}\n`);
  }
  return exitCodes.success;
}

/** Every value as text, with secrets masked; databases one by one. */
export function configurationOf({
  config,
  origins,
}: Pick<LoadedProject, 'config' | 'origins'>): ConfigurationRecord[] {
  const mask = masker(secretsOf(config));
  const originOf = (key: keyof ProjectConfig, name: string = key): string => {
    const origin = origins[name] ?? origins[key] ?? 'default';
    return origin === 'environment' ? environmentVariable(key) : origin;
  };
  return [...projectConfigKeys].flatMap(name => {
    const key = name as keyof ProjectConfig;
    if (key === 'databases') {
      return Object.entries(config.databases).map(([alias, database]) => ({
        key: `databases.${alias}`,
        value: mask(database.describe()),
        origin: originOf(key, `databases.${alias}`),
      }));
    }
    return [{ key, value: mask(describeSetting(key, config)), origin: originOf(key) }];
  });
}

function describeSetting(key: Exclude<keyof ProjectConfig, 'databases'>, config: EffectiveConfig): string {
  switch (key) {
    case 'eventHandlers': {
      const names = config.eventHandlers.map(({ name }) => (name === '' ? 'a function' : name));
      return names.length === 0 ? 'none' : names.join(', ');
    }
    case 'passwordMasks':
      return config.passwordMasks.length === 0 ? 'none' : config.passwordMasks.map(() => '***').join(', ');
    case 'pipelineFiles':
      return config.pipelineFiles.join(', ');
    case 'root':
      return config.root === undefined
        ? 'all pipelines that the files export'
        : `pipeline "${config.root.id}"`;
    case 'shell':
      return config.shell ?? '/usr/bin/env bash -o pipefail';
    case 'store':
      return config.store ?? 'embedded Postgres';
    default:
      return String(config[key]);
  }
}
