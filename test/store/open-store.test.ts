import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { serverStatus } from '../../runner/store/embedded/stop.ts';
import { connectClient } from '../../runner/store/connection.ts';
import { temporaryStore, type TemporaryStore } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

describe('an open store', function () {
  this.timeout(60_000);

  it('says where it is', async () => {
    await using project = await temporaryStore();
    const { store } = project;
    assert.equal(store.kind, 'embedded');
    assert.equal(store.description, `embedded Postgres in ${project.home}`);
    assert.match(store.databaseName, /^millrace_test_[a-z0-9_]+_[0-9a-f]{8}$/);
  });

  it('costs two sessions until more are needed: the lease and the first connection', async () => {
    await using project = await temporaryStore();
    assert.equal(await sessions(project), 2);
    const first = await project.store.connect();
    assert.equal(await sessions(project), 2);
    const second = await project.store.connect();
    assert.equal(await sessions(project), 3);
    await first.end();
    await second.end();
    await project.store.close();
    await project.store.close();
    await waitUntil(async () => (await sessions(project)) === 0);
  });

  it('gives connections with the settings that queries rely on', async () => {
    await using project = await temporaryStore();
    const client = await project.store.connect();
    const { rows } = await client.query(`
      select current_setting('search_path') as path, current_setting('TimeZone') as zone,
             current_setting('application_name') as name, 9007199254740991::int8 as big, count(*) as count, 1.5 as half,
             '2026-01-02 03:04:05.678Z'::timestamptz as time, array['a', 'b'] as texts, '{"a": 1}'::jsonb as json
        from run`);
    assert.deepEqual(rows, [
      {
        path: 'millrace',
        zone: 'UTC',
        name: 'test',
        big: Number.MAX_SAFE_INTEGER,
        count: 0,
        half: 1.5,
        time: new Date('2026-01-02T03:04:05.678Z'),
        texts: ['a', 'b'],
        json: { a: 1 },
      },
    ]);
    await client.end();
  });

  it('survives that its connections are cut off', async () => {
    await using project = await temporaryStore();
    const client = await project.store.connect();
    const db = await project.store.db();
    await db.selectFrom('run').selectAll().execute();
    const other = await project.open();
    const killer = await other.connect();
    // The store's role may end its own sessions: the connection in use, the one of the pool.
    await killer.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and usename = current_user`,
    );
    await assert.rejects(client.query('select 1'));
    const again = await project.store.connect();
    assert.equal((await again.query('select from run')).rowCount, 0);
    await again.end();
    await killer.end();
    await other.close();
  });

  it('replaces its first connection when that was cut off before anybody took it', async () => {
    await using project = await temporaryStore();
    const killer = await connectAgain(project);
    await killer.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and usename = current_user`,
    );
    await waitUntil(async () => {
      const client = await project.store.connect();
      try {
        return (await client.query('select 1').catch(() => null)) !== null;
      } finally {
        await client.end().catch(() => undefined);
      }
    });
    await killer.end();
  });

  it('has a clock', async () => {
    await using project = await temporaryStore();
    const client = await project.store.connect();
    const before = project.store.clock();
    const { rows } = await client.query<{ now: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
    );
    const now = rows[0]?.now ?? 0;
    // One machine, one clock; ours has no fractions of a millisecond.
    assert.ok(before - 1 <= now && now <= project.store.clock() + 1);
    await client.end();
  });
});

async function sessions(project: TemporaryStore): Promise<number> {
  const status = await serverStatus(project.home);
  return status.state === 'running' ? status.clients : assert.fail(status.state);
}

/** A session of the same store that belongs to no open store. */
async function connectAgain(project: TemporaryStore): Promise<Client> {
  await using store = await project.open();
  const client = await store.connect();
  const { host, port, user, password, database } = client;
  await client.end();
  return await connectClient({
    host,
    port,
    user,
    database,
    ...(typeof password === 'string' ? { password } : {}),
  });
}
