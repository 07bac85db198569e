import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectClient, endQuietly } from '../../runner/store/connection.ts';
import { projectDatabaseName, warehouseConfig } from '../../runner/store/embedded/databases.ts';
import { spawnKeeper } from '../../runner/store/embedded/keeper.ts';
import { acquireLease } from '../../runner/store/embedded/lease.ts';
import { statePaths } from '../../runner/store/embedded/paths.ts';
import { isRunning, postmasterPid } from '../../runner/store/embedded/postmaster.ts';
import { currentData, roleConfig } from '../../runner/store/embedded/server.ts';
import {
  connectAsSuperuser,
  serverStatus,
  stopIfUnused,
  stopServer,
} from '../../runner/store/embedded/stop.ts';
import { openStore } from '../../runner/store/open.ts';
import { ordinaryUser, serverHome, type ServerHome, type StoreClient } from '../support/server-home.ts';
import type { ClientAnswer } from '../support/store-client.ts';
import { waitUntil } from '../support/wait.ts';

const user = await ordinaryUser();

for (const [who, as] of [
  ['the user of the tests', undefined],
  ['an ordinary user', user],
] as const) {
  describe(`the embedded server, used by ${who}`, function () {
    this.timeout(60_000);

    before(function () {
      // As root both are tested; otherwise the first is an ordinary user already.
      if (as === null) this.skip();
    });

    const home = (): Promise<ServerHome> => serverHome(as ?? {});

    it('is set up and shared by twenty processes that need it at once', async () => {
      await using place = await serverHome({ ...as, empty: true });
      const answers = await openAtOnce(place, 20);
      assert.equal(new Set(answers.map(answer => answer.serverStart)).size, 1);
      assert.deepEqual([...new Set(answers.map(answer => answer.fsync))], ['on']);
      assert.deepEqual([...new Set(answers.map(answer => answer.listenAddresses))], ['']);
      const uid = as?.uid ?? process.getuid?.();
      assert.deepEqual([...new Set(answers.map(answer => answer.uid))], [uid]);

      // Nothing is left of the work: one directory each, the key private.
      const names = (await readdir(place.home)).filter(name => !/^(bin-\d+\.\d+|server\.log)$/.test(name));
      assert.deepEqual(names.sort(), ['data-18', 'run', 'secret']);
      assert.equal((await stat(join(place.home, 'secret'))).mode & 0o777, 0o600);
      assert.equal((await stat(join(place.home, 'run'))).mode & 0o777, 0o700);
    });

    it('opens no port', async function () {
      if (process.platform !== 'linux') this.skip();
      await using place = await home();
      await openAtOnce(place, 1, async () => {
        const { directory } = (await currentData(place.home)) ?? assert.fail();
        const pid = (await postmasterPid(directory)) ?? assert.fail();
        const inodes = new Set<string>();
        for (const fd of await readdir(`/proc/${pid}/fd`)) {
          const socket = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${fd}`))?.[1];
          if (socket !== undefined) inodes.add(socket);
        }
        const tcp = (
          await Promise.all(['tcp', 'tcp6'].map(name => readFile(`/proc/${pid}/net/${name}`, 'utf8')))
        ).join('');
        const ports = tcp.split('\n').filter(line => inodes.has(line.trim().split(/\s+/)[9] ?? ''));
        assert.deepEqual(ports, []);
        assert.ok(inodes.size > 0);
      });
    });

    it('is started again after kill -9 of all its processes', async () => {
      await using place = await home();
      const [before] = await openAtOnce(place, 1, () => killServer(place, true));
      const answers = await openAtOnce(place, 4);
      assert.equal(new Set(answers.map(answer => answer.serverStart)).size, 1);
      assert.notEqual(answers[0]?.serverStart, before?.serverStart);
    });

    it('is started again after kill -9 of its first process only', async () => {
      await using place = await home();
      await openAtOnce(place, 1, () => killServer(place, false));
      const answers = await openAtOnce(place, 4);
      assert.equal(new Set(answers.map(answer => answer.serverStart)).size, 1);
    });

    it('starts although its lock files name a living process of something else', async () => {
      await using place = await home();
      await openAtOnce(place, 1);
      await stopServer(place.options, { force: true });
      const { directory } = (await currentData(place.home)) ?? assert.fail();
      const { uid, gid } = await stat(directory);
      const stranger = spawn('sleep', ['1000'], { uid, gid });
      try {
        await once(stranger, 'spawn');
        const socketDirectory = join(place.home, 'run');
        const lines = [
          stranger.pid,
          directory,
          1,
          5432,
          socketDirectory,
          '',
          '1803261    131075',
          'ready   ',
          '',
        ];
        for (const file of [join(directory, 'postmaster.pid'), join(socketDirectory, '.s.PGSQL.5432.lock')]) {
          await writeFile(file, lines.join('\n'));
          await chown(file, uid, gid);
        }
        const answers = await openAtOnce(place, 4);
        assert.equal(new Set(answers.map(answer => answer.serverStart)).size, 1);
      } finally {
        const exited = once(stranger, 'exit');
        stranger.kill();
        await exited;
      }
    });
  });
}

describe('stopping the embedded server', function () {
  this.timeout(60_000);

  it('is refused while somebody uses it, unless forced', async () => {
    await using place = await serverHome();
    assert.equal(await stopServer(place.options, { force: false }), 'not-running');
    assert.deepEqual(await serverStatus(place.home), { state: 'never-started' });
    await using store = await open(place);
    assert.equal(await stopServer(place.options, { force: false }), 'in-use');
    // A session that has ended may be in the list for a moment more.
    await waitUntil(async () => {
      const status = await serverStatus(place.home);
      return status.state === 'running' && status.clients === 2;
    });
    await store.close();
    await waitUntil(async () => (await stopServer(place.options, { force: false })) === 'stopped');
    assert.equal((await serverStatus(place.home)).state, 'stopped');
    assert.equal(await stopServer(place.options, { force: true }), 'not-running');
  });

  it('makes an open store start it again when it is needed', async () => {
    await using place = await serverHome();
    await using store = await open(place);
    const db = await store.db();
    await db.selectFrom('run').select('run_id').execute();
    assert.equal(await stopServer(place.options, { force: true }), 'stopped');
    const client = await store.connect();
    assert.equal((await client.query('select from run')).rowCount, 0);
    await client.end();
    assert.equal(await stopServer(place.options, { force: true }), 'stopped');
    assert.deepEqual(await (await store.db()).selectFrom('run').select('run_id').execute(), []);
  });

  it('never fails a client that connects at the same moment', async () => {
    await using place = await serverHome();
    await (await open(place)).close();
    let done = false;
    let stops = 0;
    const stopping = (async () => {
      while (!done) {
        const admin = await connectAsSuperuser(statePaths(place.home)).catch(() => null);
        if (admin === null) continue;
        try {
          if (await stopIfUnused(place.options, admin)) stops++;
        } catch {
          // Cut off by another stop.
        } finally {
          await endQuietly(admin);
        }
      }
    })();
    // Every opening must succeed, and until it ends the server must not be stopped.
    const opening = async (): Promise<void> => {
      await using store = await open(place);
      const client = await store.connect();
      await client.query('select count(*) from run');
      await client.end();
    };
    try {
      for (let round = 0; round < 6; round++) {
        const before = stops;
        await Promise.all([opening(), opening(), opening()]);
        await waitUntil(() => stops > before);
      }
    } finally {
      done = true;
      await stopping;
    }
  });

  it('is done by the one keeper when nobody uses it any more', async () => {
    await using place = await serverHome();
    // A file of its own, by which this test's keepers are told from others.
    const main = join(import.meta.dirname, '../../runner/store/embedded/keeper-main.ts');
    const keeper = join(place.projectDirectory, 'keeper.mjs');
    await writeFile(keeper, `import ${JSON.stringify(main)};\n`);
    process.env['MILLRACE_IDLE_STOP'] = '0.5';
    try {
      const store = await openStore({
        projectDirectory: place.projectDirectory,
        home: place.home,
        env: {},
        resources: place.options.resources,
        applicationName: 'test',
        keeper: { file: keeper },
      });
      spawnKeeper({ file: keeper }, place.options);
      const lease = await acquireLease(place.options);
      try {
        const keepers = async (): Promise<number> =>
          (await lease.client.query(`select from pg_locks where locktype = 'advisory' and objid = 7155002`))
            .rowCount ?? 0;
        await waitUntil(async () => (await keepers()) === 1);
      } finally {
        await lease.release();
      }
      assert.equal((await serverStatus(place.home)).state, 'running');
      await store.close();
      await waitUntil(async () => (await serverStatus(place.home)).state === 'stopped');
      // The keeper's process ends with it.
      await waitUntil(() => !execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' }).includes(keeper));
    } finally {
      delete process.env['MILLRACE_IDLE_STOP'];
    }
  });
});

describe('databases of a project', function () {
  this.timeout(60_000);

  it('keep the warehouse’s role away from the store, the leases and other projects', async () => {
    await using place = await serverHome();
    await using other = await serverHome();
    await using store = await open(place);
    const options = { ...place.options, projectDirectory: place.projectDirectory };
    const configs = await Promise.all(Array.from({ length: 5 }, () => warehouseConfig(options)));
    const [config] = configs;
    assert.ok(config);
    const otherConfig = await warehouseConfig({ ...place.options, projectDirectory: other.projectDirectory });
    const warehouse = await connectClient(config);
    try {
      await warehouse.query('create schema s; create table s.t (x int); create table public_too (x int)');
      const { rows } = await warehouse.query(
        'select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user',
      );
      assert.deepEqual(rows, [{ rolsuper: false, rolcreaterole: false, rolcreatedb: false }]);
    } finally {
      await warehouse.end();
    }
    for (const database of [store.databaseName, 'postgres', 'template1', otherConfig.database]) {
      await assert.rejects(connectClient({ ...config, database }), {
        message: `permission denied for database "${database}"`,
      });
    }
    const client = await store.connect();
    const { rows } = await client.query('select rolsuper from pg_roles where rolname = current_user');
    assert.deepEqual(rows, [{ rolsuper: false }]);
    await client.end();
  });

  it('are completed when whoever made them died in the middle', async () => {
    await using place = await serverHome();
    const lease = await acquireLease(place.options);
    const database = projectDatabaseName(place.projectDirectory);
    await lease.client.query(`create database ${database} allow_connections false`);
    await using store = await open(place);
    assert.equal(store.databaseName, database);
    const { rows } = await lease.client.query(
      'select datallowconn, pg_get_userbyid(datdba) as owner from pg_database where datname = $1',
      [database],
    );
    assert.deepEqual(rows, [{ datallowconn: true, owner: 'millrace_store' }]);
    await lease.release();
  });

  it('are refused to a wrong password', async () => {
    await using place = await serverHome();
    await using store = await open(place);
    const config = roleConfig(statePaths(place.home), 'millrace_store', store.databaseName) ?? assert.fail();
    await assert.rejects(connectClient({ ...config, password: 'guessed' }), { code: '28P01' });
  });
});

function open(place: ServerHome): ReturnType<typeof openStore> {
  const { projectDirectory, options } = place;
  return openStore({ ...options, projectDirectory, env: {}, applicationName: 'test' });
}

type Opened = Extract<ClientAnswer, { serverStart: string }>;

/** Opens the store in so many processes at once; all hold it until all have it and `meanwhile` is done. */
async function openAtOnce(
  place: ServerHome,
  count: number,
  meanwhile?: () => Promise<void>,
): Promise<Opened[]> {
  const clients: StoreClient[] = Array.from({ length: count }, () => place.client());
  try {
    const answers = await Promise.all(clients.map(client => client.answer));
    const opened = answers.filter(answer => 'serverStart' in answer);
    assert.deepEqual(
      answers.filter(answer => !('serverStart' in answer)),
      [],
    );
    await meanwhile?.();
    return opened;
  } finally {
    await Promise.all(clients.map(client => client.end()));
  }
}

async function killServer(place: ServerHome, whole: boolean): Promise<void> {
  const { directory } = (await currentData(place.home)) ?? assert.fail();
  const pid = (await postmasterPid(directory)) ?? assert.fail();
  const children = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map(line => line.trim().split(/\s+/).map(Number))
    .flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
  for (const victim of whole ? [pid, ...children] : [pid]) process.kill(victim, 'SIGKILL');
  await waitUntil(async () => !(await isRunning(directory)));
}
