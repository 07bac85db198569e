/** What most commands begin with: the project and its store. */
import { join } from 'node:path';
import * as api from '../api/index.ts';
import { entryFile } from '../entry-files.ts';
import { formatLoadProblem } from '../loader/load-problem.ts';
import { type LoadedProject, loadProject } from '../loader/load-project.ts';
import { findProject } from '../loader/project.ts';
import { stateHome } from '../store/embedded/paths.ts';
import type { ServerOptions } from '../store/embedded/server.ts';
import { resolveStoreLocation, type StoreLocation } from '../store/location.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { tidyStore as tidy } from '../store/tidy.ts';
import { say, type Terminal } from './terminal.ts';

/** The project's directory, by `--project` or by walking up. */
export function projectDirectory(terminal: Terminal): string {
  return findProject(terminal.directory, terminal.project).directory;
}

/** Where transpiled pipeline files are kept. */
export function transpileCache(): string {
  return join(stateHome(), 'cache');
}

/** Loads the project into this process; tells what could not be loaded. */
export async function openProject(
  terminal: Terminal,
  directory: string,
  options: { readonly captureLocations?: boolean; readonly files?: readonly string[] } = {},
): Promise<LoadedProject> {
  const project = await loadProject({
    ...options,
    directory,
    api,
    cacheDirectory: transpileCache(),
    transpilerPath: entryFile('typescript'),
  });
  for (const problem of project.problems) {
    const colour = problem.severity === 'error' ? 'red' : 'yellow';
    say(terminal, terminal.errorStyle(colour, formatLoadProblem(problem, directory)));
  }
  return project;
}

/** Whether a file of the project could not be loaded: what is said about the whole project is then not all. */
export function isIncomplete(project: Pick<LoadedProject, 'problems'>): boolean {
  return project.problems.some(problem => problem.severity === 'error');
}

/** Where the store of a project is. */
export function storeLocation(directory: string, url: string | undefined): StoreLocation {
  return resolveStoreLocation({ projectDirectory: directory, ...(url !== undefined && { url }) });
}

/** The embedded server of this user. */
export function embeddedServer(): ServerOptions {
  return { home: stateHome(), resources: import.meta.dirname };
}

/** Opens the store to write a run into it. */
export function openStoreForRun(directory: string, url: string | undefined): Promise<Store> {
  return openStore({
    projectDirectory: directory,
    ...(url !== undefined && { url }),
    applicationName: 'millrace',
    keeper: { file: entryFile('keeper') },
  });
}

/** Opens the store of a project that is not loaded otherwise: only its configuration is read. */
export async function openHistoryOfProject(terminal: Terminal, directory: string): Promise<Store> {
  const { config } = await openProject(terminal, directory, { files: [] });
  return openHistory(terminal, directory, config.store);
}

/** Opens the store to look into it, after closing runs whose runner died and storing what they left in files. */
export async function openHistory(
  terminal: Terminal,
  directory: string,
  url: string | undefined,
): Promise<Store> {
  const store = await openStoreForRun(directory, url);
  await tidyStore(terminal, store);
  return store;
}

/** What whoever opens the store does for those that could not do it themselves. */
export async function tidyStore(terminal: Terminal, store: Store): Promise<void> {
  for (const message of await tidy(store)) say(terminal, message);
}
