/** What `import … from 'millrace'` gives. */
export * from '../commands/index.ts';
export type { RunEvent } from '../events.ts';
export type {
  DocItem,
  NodeKind,
  NodePath,
  OnFailure,
  Outcome,
  OutputFormat,
  ParameterDefinition,
  ParameterValue,
  RunOutcome,
  SourceLocation,
} from '../model.ts';
export { Command, CommandFailure } from './command.ts';
export { defineConfig, type EventHandler, type ProjectConfig } from './config.ts';
export type {
  CommandContext,
  Database,
  IncrementalState,
  Log,
  ProcessEnd,
  Processes,
  ProcessOptions,
  ProjectSettings,
  QueryResult,
  RunInfo,
} from './context.ts';
export {
  type DatabaseDefinition,
  embeddedPostgres,
  postgres,
  type PostgresDatabase,
  type PostgresOptions,
  type SslMode,
} from './databases.ts';
export { PipelineError } from './errors.ts';
export { Node, type NodeOptions } from './node.ts';
export { ParallelTask, type ParallelTaskOptions, parallelTaskOptionKeys } from './parallel-task.ts';
export type { ParameterOptions } from './parameters.ts';
export { Pipeline, type PipelineOptions } from './pipeline.ts';
export { type CommandSource, Task, type TaskOptions } from './task.ts';
