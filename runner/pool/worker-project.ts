/** What a worker needs of the project that it has loaded. */
import type { Database, Processes, ProjectSettings } from '../api/context.ts';
import type { CommandClass } from '../api/parallel-task.ts';
import type { Pipeline } from '../api/pipeline.ts';
import type { SecretMasker } from './output.ts';

export interface WorkerProject {
  /** The project's root pipeline. */
  readonly root: Pipeline;
  /** What was wrong with its files, as the user reads it. */
  readonly loadProblems: readonly string[];
  readonly settings: ProjectSettings;
  /** Classes of commands that travel, by name. */
  readonly commandClasses: Readonly<Record<string, CommandClass>>;
  /** Hides the project's secrets; `undefined` when it has none. */
  readonly masker: SecretMasker | undefined;
  /** Connects to a database by its alias, or to the default one. */
  openDatabase(
    alias: string | undefined,
    options: {
      readonly signal: AbortSignal;
      readonly processes: Processes | undefined;
      readonly applicationName: string;
    },
  ): Promise<Database & AsyncDisposable>;
}
