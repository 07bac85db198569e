import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CommandContext } from 'millrace';
import { GitRepository } from './git-repository.ts';
import type { HistorySource } from './history-source.ts';
import { SampleHistory } from './sample-history.ts';

/**
 * The repository that the parameter `repository` or the environment variable `REPO_STATS_REPOSITORY` names; else the
 * one that contains this example; else the sample that comes with it.
 */
export async function findSource(context: CommandContext): Promise<HistorySource> {
  const places = [
    context.params['repository'],
    process.env['REPO_STATS_REPOSITORY'],
    workTreeAround(import.meta.dirname),
  ];
  const directory = places.find(place => typeof place === 'string' && place !== '');
  return directory === undefined
    ? await SampleHistory.open()
    : await GitRepository.open(context, String(directory));
}

function workTreeAround(directory: string): string | undefined {
  if (existsSync(join(directory, '.git'))) return directory;
  const parent = dirname(directory);
  return parent === directory ? undefined : workTreeAround(parent);
}
