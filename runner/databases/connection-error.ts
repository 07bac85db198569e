/** Why a connection could not be made: one sentence with the remedy, never with a secret. */
import type { ClientConfig } from 'pg';
import { isServerError } from './sql-error.ts';

/** A database that cannot be reached or does not let us in. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** Where a connection goes, for messages. */
export interface ConnectionTarget {
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export function connectionTarget(alias: string, config: ClientConfig): ConnectionTarget {
  const user = config.user ?? process.env['PGUSER'] ?? process.env['USER'] ?? '';
  return {
    alias,
    host: config.host ?? process.env['PGHOST'] ?? 'localhost',
    port: config.port ?? Number(process.env['PGPORT'] ?? 5432),
    user,
    database: config.database ?? process.env['PGDATABASE'] ?? user,
  };
}

export function connectionError(error: unknown, target: ConnectionTarget): ConnectionError {
  return new ConnectionError(`Database "${target.alias}": ${explain(error, target)}`, { cause: error });
}

function explain(error: unknown, { alias, host, port, user, database }: ConnectionTarget): string {
  const message = error instanceof Error ? error.message : String(error);
  const socket = host.startsWith('/');
  const server = socket ? `${host}/.s.PGSQL.${String(port)}` : `${host}:${String(port)}`;
  switch (isServerError(error) ? error.code : undefined) {
    case '28P01':
      return `wrong password for user "${user}" at ${server}. Check the password of "${alias}" in millrace.config.ts or the environment.`;
    case '28000':
      return message.includes('does not exist')
        ? `there is no role "${user}" at ${server}. Create it (CREATE ROLE … LOGIN), or correct the user of "${alias}".`
        : `${server} does not let user "${user}" in: ${message}. Check pg_hba.conf of the server and the user of "${alias}".`;
    case '3D000':
      return `there is no database "${database}" at ${server}. Create it (CREATE DATABASE), or correct the name in "${alias}".`;
    case '53300':
      return `${server} has no free connection: ${message}. Lower maxParallelTasks, or raise max_connections of the server.`;
    case '57P03':
      return `the server at ${server} is starting up or shutting down: ${message}. Try again in a moment.`;
    default:
      break;
  }
  if (isServerError(error)) return `${server} refused the connection: ${message}.`;
  switch (errorCode(error)) {
    case 'ECONNREFUSED':
      return `nobody listens at ${server}. Start the server, or correct host and port of "${alias}".`;
    case 'ENOENT':
      return `there is no socket ${server}. Start the server, or correct host and port of "${alias}".`;
    case 'EACCES':
    case 'EPERM':
      return `no permission to connect to ${server}. Check the permissions of the socket or the host of "${alias}".`;
    case 'ENOTFOUND':
      return `the host "${host}" is unknown. Correct the host of "${alias}".`;
    case 'EAI_AGAIN':
      return `the name of the host "${host}" cannot be looked up now. Check the network, or the host of "${alias}".`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${server} cannot be reached (${message}). Check the network, or host and port of "${alias}".`;
    default:
      break;
  }
  if (message === 'timeout expired') {
    return `${server} did not answer in time. Check that a Postgres server listens there, or the host and port of "${alias}".`;
  }
  if (message.includes('client password must be')) {
    return `${server} asks for a password and none is given for user "${user}". Set the password of "${alias}".`;
  }
  if (message.includes('does not support SSL')) {
    return `${server} does not support encrypted connections. Turn ssl off for "${alias}", or on at the server.`;
  }
  if (message.startsWith('Connection terminated') || errorCode(error) === 'ECONNRESET') {
    return `${server} closed the connection. Check that a Postgres server listens there, or the host and port of "${alias}".`;
  }
  return `cannot connect to ${server}: ${message}.`;
}

/** The system's error code; a name with several addresses gives one error for all of them. */
function errorCode(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}
