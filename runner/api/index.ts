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
export { ChildCommand } from './child-command.ts';
export { Command, CommandFailure } from './command.ts';
export { defineConfig, type EventHandler, type ProjectConfig } from './config.ts';
export type {
  CommandContext,
  Database,
  ExpansionContext,
  IncrementalState,
  Log,
  ParameterContext,
  ProcessEnd,
  ProcessedFile,
  Processes,
  ProcessOptions,
  ProjectSettings,
  QueryResult,
  RunInfo,
} from './context.ts';
export {
  bigquery,
  type BigQueryDatabase,
  type BigQueryOptions,
  type DatabaseDefinition,
  databricks,
  type DatabricksDatabase,
  type DatabricksOptions,
  embeddedPostgres,
  mysql,
  type MysqlDatabase,
  type MysqlOptions,
  oracle,
  type OracleDatabase,
  type OracleOptions,
  postgres,
  type PostgresDatabase,
  type PostgresOptions,
  redshift,
  type RedshiftDatabase,
  type RedshiftOptions,
  snowflake,
  type SnowflakeDatabase,
  type SnowflakeOptions,
  sqlite,
  type SqliteDatabase,
  type SqliteOptions,
  sqlserver,
  type SqlServerDatabase,
  type SqlServerOptions,
  type SslMode,
} from './databases.ts';
export { PipelineError } from './errors.ts';
export { Node, type NodeOptions } from './node.ts';
export { ParallelTask, type ParallelTaskOptions, parallelTaskOptionKeys } from './parallel-task.ts';
export type { ParameterOptions } from './parameters.ts';
export { Pipeline, type PipelineOptions } from './pipeline.ts';
export { type CommandSource, Task, type TaskOptions } from './task.ts';
