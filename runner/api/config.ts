/** The project's configuration, as `millrace.config.ts` gives it. */
import type { RunEvent } from '../events.ts';
import type { DatabaseDefinition } from './databases.ts';
import type { Pipeline } from './pipeline.ts';

/** Gets every event of a run, in order. What it throws is reported and never breaks the run. */
export type EventHandler = (event: RunEvent) => void | Promise<void>;

/**
 * Settings of a project, all of them optional. `millrace.local.ts`, which is not under version control, overrides
 * single values, and so do environment variables that begin with `MILLRACE_`, which are also read from `.env`.
 */
export interface ProjectConfig {
  /** The databases by alias, for example `{ dwh: postgres({ url }) }`. Default: `{ dwh: embeddedPostgres() }`. */
  readonly databases?: Readonly<Record<string, DatabaseDefinition>> | undefined;
  /** Alias of the database that commands use when they name none. Default: `dwh`. */
  readonly defaultDatabase?: string | undefined;
  /** Directory with input files, relative to the project's root. Default: `data`. */
  readonly dataDir?: string | undefined;
  /**
   * Day as `YYYY-MM-DD` before which data is ignored. It is part of every hash of file dependencies: another day makes
   * everything that depends on files run again. Default: `2000-01-01`.
   */
  readonly firstDate?: string | undefined;
  /** Day as `YYYY-MM-DD` after which data is ignored; part of the hashes like `firstDate`. Default: `3000-01-01`. */
  readonly lastDate?: string | undefined;
  /** How many tasks of a run may run at the same time, at least 1. Default: the number of processor cores. */
  readonly maxParallelTasks?: number | undefined;
  /** How often a failed task is tried again when it does not say so itself. Default: 0. */
  readonly defaultMaxRetries?: number | undefined;
  /** Days that runs and their output are kept. Default: 30. */
  readonly retentionDays?: number | undefined;
  /** The shell that commands are given to. Default: `/usr/bin/env bash -o pipefail`. */
  readonly shell?: string | undefined;
  /** Functions that get every event of a run. Default: none. */
  readonly eventHandlers?: readonly EventHandler[] | undefined;
  /** Texts that are shown as `***` wherever output or a command is shown. Passwords of databases are, anyway. */
  readonly passwordMasks?: readonly string[] | undefined;
  /** Seconds between two measurements of the machine's load during a run; 0 for none. Default: 1. */
  readonly systemStatisticsInterval?: number | undefined;
  /**
   * Glob patterns of the files that define pipelines, relative to the project's root; `node_modules` and directories
   * that begin with a dot are left out. Default: `*.pipeline.{ts,mts,js,mjs}` in any directory.
   */
  readonly pipelineFiles?: string | readonly string[] | undefined;
  /**
   * The pipeline that contains all others; `pipelineFiles` are then not searched for.
   * Default: a pipeline of all pipelines that the files export.
   */
  readonly root?: Pipeline | undefined;
  /** URL of the Postgres database that keeps runs and output. Default: an embedded server. */
  readonly store?: string | undefined;
  /** Seconds that a cancelled task has to end by itself before it is killed. Default: 5. */
  readonly killTimeout?: number | undefined;
}

/** The settings that there are. */
export const projectConfigKeys: ReadonlySet<string> = new Set(
  Object.keys({
    databases: true,
    defaultDatabase: true,
    dataDir: true,
    firstDate: true,
    lastDate: true,
    maxParallelTasks: true,
    defaultMaxRetries: true,
    retentionDays: true,
    shell: true,
    eventHandlers: true,
    passwordMasks: true,
    systemStatisticsInterval: true,
    pipelineFiles: true,
    root: true,
    store: true,
    killTimeout: true,
  } satisfies Record<keyof ProjectConfig, true>),
);

/**
 * Returns the settings as they are; it lets an editor complete and check them.
 *
 * @example export default defineConfig({ databases: { dwh: postgres({ url: 'postgres://localhost/dwh' }) } });
 */
export function defineConfig(config: ProjectConfig): ProjectConfig {
  return config;
}
