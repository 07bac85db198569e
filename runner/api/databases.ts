/** Which databases a project has. Definitions hold no connection: making one touches nothing. */
import type { BigQueryDatabase } from './databases/bigquery.ts';
import type { DatabricksDatabase } from './databases/databricks.ts';
import type { MysqlDatabase } from './databases/mysql.ts';
import type { OracleDatabase } from './databases/oracle.ts';
import type { PostgresDatabase } from './databases/postgres.ts';
import type { RedshiftDatabase } from './databases/redshift.ts';
import type { SnowflakeDatabase } from './databases/snowflake.ts';
import type { SqliteDatabase } from './databases/sqlite.ts';
import type { SqlServerDatabase } from './databases/sqlserver.ts';

export * from './databases/bigquery.ts';
export * from './databases/databricks.ts';
export type { ClientDatabaseBase, DatabaseBase } from './databases/definition.ts';
export * from './databases/mysql.ts';
export * from './databases/oracle.ts';
export * from './databases/postgres.ts';
export * from './databases/redshift.ts';
export * from './databases/snowflake.ts';
export * from './databases/sqlite.ts';
export * from './databases/sqlserver.ts';

/** A database that is reached through its command line client. */
export type ClientDefinition =
  | MysqlDatabase
  | SqliteDatabase
  | SqlServerDatabase
  | OracleDatabase
  | RedshiftDatabase
  | BigQueryDatabase
  | SnowflakeDatabase
  | DatabricksDatabase;

/** A database of the project, told apart by `type`. */
export type DatabaseDefinition = PostgresDatabase | ClientDefinition;

export type DatabaseType = DatabaseDefinition['type'];

/** Types as people read them. */
export const databaseTypeNames: Readonly<Record<DatabaseType, string>> = {
  postgresql: 'PostgreSQL',
  redshift: 'Redshift',
  mysql: 'MySQL',
  sqlite: 'SQLite',
  sqlserver: 'SQL Server',
  oracle: 'Oracle',
  bigquery: 'BigQuery',
  snowflake: 'Snowflake',
  databricks: 'Databricks',
};
