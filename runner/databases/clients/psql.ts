/** Postgres and Redshift through `psql`. */
import type { PostgresDatabase, RedshiftDatabase } from '../../api/databases.ts';
import { APPLICATION_NAME } from '../application-name.ts';
import { csvDecoder } from '../rows/csv-rows.ts';
import {
  type Client,
  type QueryRequest,
  type QueryCall,
  type ScriptRequest,
  standardLiteral,
} from './client.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What stands for NULL in the output of psql, which does not quote it; no value of a sane database is the same. */
const NULL_TEXT = '\\N:millrace-null:\\N';

const programs = ['psql'] as const;
const install =
  'it: Debian and Ubuntu: apt-get install postgresql-client; Fedora: dnf install postgresql; macOS: brew install libpq';

export const psqlClient: Client<PostgresDatabase> = {
  programs,
  install,
  hasTimezone: true,
  echoes: true,
  script: (program, database, request) => script(program, postgresEnvironment(database), request),
  query: (program, database, request) => query(program, postgresEnvironment(database), request),
  literal: standardLiteral,
};

export const redshiftClient: Client<RedshiftDatabase> = {
  programs,
  install,
  hasTimezone: true,
  echoes: true,
  script: (program, database, request) => script(program, redshiftEnvironment(database), request),
  query: (program, database, request) => query(program, redshiftEnvironment(database), request),
  literal: standardLiteral,
};

/** Nothing of the user's own settings counts, nothing is asked for, and the first error is the last. */
const common = ['--no-psqlrc', '--no-password', '--set=ON_ERROR_STOP=on'];

function script(program: string, env: Environment, { sql, echo, timezone }: ScriptRequest) {
  return {
    program,
    args: [...common, ...(echo ? ['--echo-queries'] : []), '--file=-'],
    env: withTimezone(env, timezone),
    input: sql,
  };
}

function query(program: string, env: Environment, { sql, timezone }: QueryRequest): QueryCall {
  return {
    program,
    // Rows are fetched in pieces: else psql keeps all of them.
    args: [...common, '--quiet', '--csv', `--pset=null=${NULL_TEXT}`, '--set=FETCH_COUNT=10000', '--file=-'],
    env: withTimezone(env, timezone),
    input: `${sql}\n;\n`,
    decode: csvDecoder(NULL_TEXT),
    binary: 'hex',
  };
}

/** Runs `COPY … TO STDOUT` or, with data, `COPY … FROM STDIN`; only the whole of the data is kept. */
export function psqlCopy(
  program: string,
  database: PostgresDatabase,
  statement: string,
  timezone: string | undefined,
  data?: AsyncIterable<Buffer | string>,
) {
  return {
    program,
    args: [...common, '--quiet', '--file=-'],
    env: withTimezone(postgresEnvironment(database), timezone),
    input: data === undefined ? `${statement};\n` : copyScript(statement, data),
  };
}

/** When the data breaks off, there is no COMMIT: psql takes the end of its input for the end of the data. */
async function* copyScript(
  statement: string,
  data: AsyncIterable<Buffer | string>,
): AsyncGenerator<Buffer | string> {
  yield `BEGIN;\n${statement};\n`;
  yield* data;
  yield '\\.\nCOMMIT;\n';
}

export function postgresEnvironment({ connection, schema }: PostgresDatabase): Environment {
  const settings = ['-c client_min_messages=warning'];
  if (schema !== undefined)
    settings.push(`-c search_path=${escapeOption(`"${schema.replaceAll('"', '""')}"`)}`);
  const shared = { PGAPPNAME: APPLICATION_NAME, PGCLIENTENCODING: 'UTF8', PGOPTIONS: settings.join(' ') };
  switch (connection.kind) {
    case 'embedded':
      throw new Error('the embedded Postgres is not reached by psql');
    case 'parameters': {
      const { host, port, database, user, password, sslMode, sslRootCert, sslCert, sslKey } = connection;
      return {
        ...shared,
        PGDATABASE: database,
        PGHOST: host ?? 'localhost',
        PGPORT: port === undefined ? undefined : String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGSSLMODE: sslMode,
        PGSSLROOTCERT: sslRootCert,
        PGSSLCERT: sslCert,
        PGSSLKEY: sslKey,
      };
    }
    case 'url':
      return { ...shared, ...fromUrl(connection.url) };
  }
}

/** libpq has an environment variable for each of these parameters; the URL itself would stand on the command line. */
const urlParameters: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  service: 'PGSERVICE',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS',
  channel_binding: 'PGCHANNELBINDING',
  gssencmode: 'PGGSSENCMODE',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
};

function fromUrl(text: string): Environment {
  const url = new URL(text);
  const part = (value: string): string | undefined => (value === '' ? undefined : decodeURIComponent(value));
  const environment: Record<string, string | undefined> = {
    PGHOST: part(url.hostname),
    PGPORT: part(url.port),
    PGDATABASE: part(url.pathname.slice(1)),
    PGUSER: part(url.username),
    PGPASSWORD: part(url.password),
  };
  for (const [name, value] of url.searchParams) {
    const variable = urlParameters[name];
    if (variable !== undefined) environment[variable] = value;
  }
  return environment;
}

function redshiftEnvironment({ options }: RedshiftDatabase): Environment {
  const { host, port = 5439, database, user, password, sslMode = 'require' } = options;
  return {
    PGAPPNAME: 'millrace',
    PGCLIENTENCODING: 'UTF8',
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
    PGSSLMODE: sslMode,
  };
}

function withTimezone(env: Environment, timezone: string | undefined): Environment {
  return timezone === undefined ? env : { ...env, PGTZ: timezone };
}

/** A value in `PGOPTIONS`: blanks and backslashes are escaped. */
function escapeOption(text: string): string {
  return text.replace(/[\\ ]/g, '\\$&');
}
