/** The client of each type of database. */
import type { ClientDefinition, DatabaseDefinition, PostgresDatabase } from '../../api/databases.ts';
import { bigQueryClient } from './bigquery.ts';
import type { Client } from './client.ts';
import { databricksClient } from './databricks.ts';
import { mysqlClient } from './mysql.ts';
import { oracleClient } from './oracle.ts';
import { psqlClient, redshiftClient } from './psql.ts';
import { snowflakeClient } from './snowflake.ts';
import { sqliteClient } from './sqlite.ts';
import { sqlServerClient } from './sqlserver.ts';

/** What a command line client can be asked for. */
export type DrivenDefinition = ClientDefinition | PostgresDatabase;

export const clients: {
  readonly [Type in DrivenDefinition['type']]: Client<Extract<DrivenDefinition, { readonly type: Type }>>;
} = {
  postgresql: psqlClient,
  redshift: redshiftClient,
  mysql: mysqlClient,
  sqlite: sqliteClient,
  sqlserver: sqlServerClient,
  oracle: oracleClient,
  bigquery: bigQueryClient,
  snowflake: snowflakeClient,
  databricks: databricksClient,
};

/** The client for a definition, with the definition's own type. */
export function clientOf(definition: DrivenDefinition): Client<DrivenDefinition> {
  // The table above pairs every type with its client; TypeScript cannot follow that through the look-up.
  return clients[definition.type];
}

/** Whether a database is reached through a command line client; all others are Postgres with the bundled one. */
export function isDriven(
  definition: DatabaseDefinition,
): definition is ClientDefinition | (PostgresDatabase & { readonly client: 'psql' }) {
  return definition.type !== 'postgresql' || definition.client === 'psql';
}
