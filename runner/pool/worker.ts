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
  const findWarehouse = async () => {
    const { warehouseConfig } = await import('../store/embedded/databases.ts');
    return await warehouseConfig({ home, resources: import.meta.dirname, projectDirectory: directory });
  };
  /** Found once: to look takes longer than to connect. */
  let warehouse: ReturnType<typeof findWarehouse> | undefined;
  return {
    root,
    loadProblems,
    settings: { dataDir: config.dataDir, firstDate: config.firstDate, lastDate: config.lastDate },
    commandClasses: commandRegistry,
    masker: SecretMasker.create(secretsOf(config)),
    shell: config.shell,
    openDatabase: async (alias, { signal, processes, applicationName }) => {
      // Not before it is needed: most tasks of most projects have no connection, and a worker is to be ready soon.
      const { findDatabase, openDatabase } = await import('../databases/connect.ts');
      const { alias: name, definition } = findDatabase(config, alias);
      const isEmbedded = definition.type === 'postgresql' && definition.connection.kind === 'embedded';
      const wasKnown = isEmbedded && warehouse !== undefined;
      const open = () =>
        openDatabase(name, definition, {
          signal,
          processes,
          applicationName,
          directory,
          resolveEmbedded: () => (warehouse ??= findWarehouse()),
        });
      try {
        return await open();
      } catch (error) {
        warehouse = undefined;
        if (!wasKnown || signal.aborted) throw error;
        // The server was there for an earlier task: finding it again starts it if need be.
        return await open();
      }
    },
  };
};

startWorker(load);
