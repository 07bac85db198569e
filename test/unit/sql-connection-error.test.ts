import assert from 'node:assert/strict';
import { connectionError, connectionTarget } from '../../runner/databases/connection-error.ts';

/** Problems that a test's own server cannot be brought to have. The others: test/store/database-postgres.test.ts. */
describe('explaining why a connection failed', () => {
  const target = connectionTarget('dwh', {
    host: 'db',
    port: 5432,
    user: 'etl',
    database: 'dwh',
    password: 's3cret',
  });
  const server = (code: string, message: string): Error =>
    Object.assign(new Error(message), { severity: 'FATAL', code });
  const system = (code: string): Error => Object.assign(new Error(`connect ${code} 10.0.0.1:5432`), { code });

  const cases: readonly (readonly [error: Error, message: string])[] = [
    [
      server('57P03', 'the database system is starting up'),
      'Database "dwh": the server at db:5432 is starting up or shutting down: the database system is starting up. Try again in a moment.',
    ],
    [
      server('28000', 'role "etl" does not exist'),
      'Database "dwh": there is no role "etl" at db:5432. Create it (CREATE ROLE … LOGIN), or correct the user of "dwh".',
    ],
    [
      server('28000', 'no pg_hba.conf entry for host "10.0.0.2"'),
      'Database "dwh": db:5432 does not let user "etl" in: no pg_hba.conf entry for host "10.0.0.2". Check pg_hba.conf of the server and the user of "dwh".',
    ],
    [
      server('53300', 'sorry, too many clients already'),
      'Database "dwh": db:5432 has no free connection: sorry, too many clients already. Lower maxParallelTasks, or raise max_connections of the server.',
    ],
    [
      system('ETIMEDOUT'),
      'Database "dwh": db:5432 cannot be reached (connect ETIMEDOUT 10.0.0.1:5432). Check the network, or host and port of "dwh".',
    ],
    [
      new AggregateError([system('ECONNREFUSED'), system('ECONNREFUSED')]),
      'Database "dwh": nobody listens at db:5432. Start the server, or correct host and port of "dwh".',
    ],
    [
      new Error('timeout expired'),
      'Database "dwh": db:5432 did not answer in time. Check that a Postgres server listens there, or the host and port of "dwh".',
    ],
    [
      new Error('The server does not support SSL connections'),
      'Database "dwh": db:5432 does not support encrypted connections. Turn ssl off for "dwh", or on at the server.',
    ],
  ];
  for (const [error, message] of cases) {
    it(`explains: ${error.message || error.name}`, () => {
      assert.equal(connectionError(error, target).message, message);
    });
  }
});
