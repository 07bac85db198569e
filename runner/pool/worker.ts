/** What a worker runs: the project's code and its commands. */
import { join } from 'node:path';
import * as api from '../api/index.ts';
import { commandRegistry } from '../commands/registry.ts';
import { secretsOf } from '../engine/masks.ts';
import { entryFile } from '../entry-files.ts';
import { loadProject } from '../loader/load-project.ts';
import { formatLoadProblem } from '../loader/load-problem.ts';
import { stateHome } from '../store/embedded/paths.ts';
import { SecretMasker } from './output.ts';
import type { ProjectSource } from './protocol.ts';
import { type LoadWorkerProject, startWorker } from './worker-process.ts';

const load: LoadWorkerProject = async ({ directory, files }: ProjectSource) => {
  const home = stateHome();
  const project = await loadProject({
    directory,
    ...(files !== undefined && { files }),
    api,
    cacheDirectory: join(home, 'cache'),
    transpilerPath: entryFile('typescript'),
  });
  const { config, root, problems } = project;
  // The runner has loaded the same files and has reported what is wrong with them; here it explains a missing node.
  const loadProblems = problems
    .filter(({ severity }) => severity === 'error')
    .map(problem => formatLoadProblem(problem, directory));
  return {
    root,
    loadProblems,
    settings: { dataDir: config.dataDir, firstDate: config.firstDate, lastDate: config.lastDate },
    commandClasses: commandRegistry,
    masker: SecretMasker.create(secretsOf(config)),
    shell: config.shell,
    openDatabase: async (alias, { signal, processes }) => {
      // Not before it is needed: most tasks of most projects have no connection, and a worker is to be ready soon.
      const { findDatabase, openDatabase } = await import('../databases/connect.ts');
      const { alias: name, definition } = findDatabase(config, alias);
      return await openDatabase(name, definition, {
        signal,
        processes,
        directory,
        resolveEmbedded: async () => {
          const { warehouseConfig } = await import('../store/embedded/databases.ts');
          return await warehouseConfig({ home, resources: import.meta.dirname, projectDirectory: directory });
        },
      });
    },
  };
};

startWorker(load);
