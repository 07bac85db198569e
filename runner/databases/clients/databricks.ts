/** Databricks through `dbsqlcli`. */
import type { DatabricksDatabase } from '../../api/databases.ts';
import { type Client, standardLiteral } from './client.ts';

/** None of the client's outputs tells NULL from a text, so there is no query to copy from. */
export const databricksClient: Client<DatabricksDatabase> = {
  programs: ['dbsqlcli'],
  install: 'the Databricks SQL CLI: pipx install databricks-sql-cli',
  hasTimezone: false,
  echoes: false,
  script: (program, { options: { host, httpPath, accessToken } }, { sql }) => ({
    program,
    args: ['--table-format', 'psql', '-e', '/dev/stdin'],
    env: {
      DBSQLCLI_HOST_NAME: host,
      DBSQLCLI_HTTP_PATH: httpPath,
      DBSQLCLI_ACCESS_TOKEN: accessToken,
    },
    input: sql,
  }),
  literal: standardLiteral,
};
