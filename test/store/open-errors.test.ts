import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { findBinaries } from '../../runner/store/embedded/binaries.ts';
import { storeDatabaseConfig } from '../../runner/store/embedded/databases.ts';
import { statePaths } from '../../runner/store/embedded/paths.ts';
import { StoreError, connectionError } from '../../runner/store/errors.ts';
import { resolveStoreLocation } from '../../runner/store/location.ts';
import { checkServer } from '../../runner/store/migrate.ts';
import { openStore } from '../../runner/store/open.ts';
import { ordinaryUser, serverHome } from '../support/server-home.ts';
import { resources, temporaryHome, temporaryStore, type TemporaryStore } from '../support/store.ts';
import { temporaryFolder } from '../support/temp.ts';

/** The message of the error that opening ends with; its exit code is always that of an unreachable store. */
async function failure(opening: Promise<AsyncDisposable>): Promise<string> {
  let store: AsyncDisposable;
  try {
    store = await opening;
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.exitCode, 3);
    return error.message;
  }
  await store[Symbol.asyncDispose]();
  return assert.fail('the store was opened');
}

const openUrl = (url: string): ReturnType<typeof openStore> =>
  openStore({ projectDirectory: '/', env: { MILLRACE_STORE_URL: url }, applicationName: 'test' });

describe('an external store', function () {
  this.timeout(60_000);

  it('is opened by its URL, and works like the embedded one', async () => {
    await using project = await temporaryStore();
    const url = urlOf(project);
    for (const options of [{ env: { MILLRACE_STORE_URL: url } }, { url }]) {
      const began = performance.now();
      await using store = await project.open(options);
      const took = performance.now() - began;
      assert.equal(store.kind, 'external');
      const { socketDirectory } = statePaths(project.home);
      assert.equal(store.description, `Postgres database ${store.databaseName} on ${socketDirectory}:5432`);
      const client = await store.connect();
      const { rows } = await client.query(
        `select current_setting('search_path') as path, current_setting('application_name') as name, 7::int8 as n`,
      );
      assert.deepEqual(rows, [{ path: 'millrace', name: 'test', n: 7 }]);
      await client.end();
      // The two clocks are one here; that they are compared over a connection makes a difference of less than it took.
      const before = Date.now();
      const now = store.clock();
      assert.ok(before - took - 1 <= now && now <= Date.now() + took + 1);
    }
  });

  it('at an address that nobody listens on', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    server.close();
    await once(server, 'close');
    assert.equal(
      await failure(openUrl(`postgres://ann:pw@127.0.0.1:${port}/history`)),
      `Cannot reach the store: nobody listens on 127.0.0.1:${port}. Start the Postgres server there, ` +
        'or correct MILLRACE_STORE_URL.',
    );
  });

  it('on a host that is unknown', async () => {
    assert.equal(
      await failure(openUrl('postgres://ann:pw@no-such-host.invalid/history')),
      'Cannot reach the store: the host of no-such-host.invalid:5432 is unknown. Check the network, ' +
        'or correct MILLRACE_STORE_URL.',
    );
  });

  it('with a wrong password, which is not repeated', async () => {
    await using project = await temporaryStore();
    const { socketDirectory } = statePaths(project.home);
    const { databaseName } = project.store;
    assert.equal(
      await failure(openUrl(urlOf(project, { password: 'letmein' }))),
      `The store on ${socketDirectory}:5432 refuses user "millrace_store" for database "${databaseName}": password ` +
        'authentication failed for user "millrace_store". Correct the user or the password in MILLRACE_STORE_URL.',
    );
  });

  it('whose database does not exist', async () => {
    await using project = await temporaryStore();
    const { socketDirectory } = statePaths(project.home);
    assert.equal(
      await failure(openUrl(urlOf(project, { database: 'nowhere' }))),
      `The database "nowhere" does not exist on ${socketDirectory}:5432. Create it (CREATE DATABASE "nowhere"), ` +
        'or correct MILLRACE_STORE_URL. Millrace makes its tables in it by itself.',
    );
  });

  it('behind something that does not know sessions', () => {
    const target = {
      address: 'pool:6432',
      user: 'ann',
      database: 'history',
      configuredBy: 'MILLRACE_STORE_URL',
    };
    const refused = Object.assign(new Error('unsupported startup parameter: options'), { code: '08P01' });
    assert.equal(
      connectionError(refused, target).message,
      'The store on pool:6432 refuses the settings of a session: unsupported startup parameter: options. ' +
        'Let MILLRACE_STORE_URL name the Postgres server itself, not a connection pooler.',
    );
  });

  it('whose URL is none of Postgres', () => {
    const message =
      "The store's URL is not one of a Postgres database. Give MILLRACE_STORE_URL the form " +
      'postgres://user:password@host:5432/database.';
    for (const url of ['nonsense', 'mysql://ann:secret@host/db', 'postgres://ann:secret@host']) {
      const env = { MILLRACE_STORE_URL: url };
      assert.throws(() => resolveStoreLocation({ projectDirectory: '/', env }), { message, exitCode: 3 });
    }
  });

  it('whose server is too old', () => {
    const state = { schema: null, clockOffset: 0, serverVersion: 140_011, serverVersionText: '14.11' };
    assert.throws(
      () => {
        checkServer(state, 'Postgres database history on db:5432');
      },
      {
        message:
          "The store's server (Postgres database history on db:5432) is Postgres 14.11, and 15 or newer is needed. " +
          'Update it, or use the embedded server by not naming a URL.',
      },
    );
  });
});

describe('a store', function () {
  this.timeout(60_000);

  it('of a newer version is refused, and left as it is', async () => {
    await using project = await temporaryStore();
    const client = await project.store.connect();
    await client.query(`insert into migration values ('0999_future', now()::text)`);
    const message =
      `The store (embedded Postgres in ${project.home}) was made by a newer Millrace: its schema is 0999_future, ` +
      'this Millrace knows 0001_initial. Update Millrace here, or let MILLRACE_STORE_URL name another database.';
    assert.equal(await failure(project.open()), message);
    assert.equal(await failure(project.open({ readOnly: true })), message);
    await client.query(`delete from migration where name <> '0999_future'`);
    await client.query(`update migration set name = '0000_private'`);
    assert.equal(
      await failure(project.open()),
      `The store (embedded Postgres in ${project.home}) has the schema 0000_private, which no released Millrace makes. ` +
        'Let MILLRACE_STORE_URL name another database.',
    );
    await client.end();
  });

  it('opened for reading is neither made nor written', async () => {
    await using project = await temporaryStore();
    await using other = await temporaryFolder();
    await using empty = await temporaryFolder();
    const nothing = (home: string): string =>
      `Nothing has been recorded for this project yet (embedded Postgres in ${home}). Run one of its pipelines first.`;
    const options = { projectDirectory: other.path, readOnly: true };
    assert.equal(await failure(project.open(options)), nothing(project.home));
    assert.equal(await failure(project.open({ ...options, home: empty.path })), nothing(empty.path));

    await using store = await project.open({ readOnly: true });
    const client = await store.connect();
    await assert.rejects(client.query(`delete from run`), {
      message: 'cannot execute DELETE in a read-only transaction',
    });
    await client.end();
  });
});

describe('the embedded server', function () {
  this.timeout(60_000);

  it('refuses data of another major version', async () => {
    await using place = await serverHome();
    await mkdir(join(place.home, 'data-99'));
    const open = (): Promise<string> =>
      failure(
        openStore({
          ...place.options,
          projectDirectory: place.projectDirectory,
          env: {},
          applicationName: 'test',
        }),
      );
    assert.equal(
      await open(),
      `The store in ${join(place.home, 'data-99')} was made by Postgres 99, and no Postgres 99 is here to open it. ` +
        'Install it (Debian, Ubuntu: apt-get install postgresql-99), or rename that folder to begin with an empty store.',
    );
    await rm(join(place.home, 'data-99'), { recursive: true });
    await mkdir(join(place.home, 'data-18'));
    await writeFile(join(place.home, 'data-18/PG_VERSION'), '17\n');
    assert.equal(
      await open(),
      `The store in ${join(place.home, 'data-18')} was made by Postgres 17, and Postgres 18 cannot open it. Rename ` +
        'the folder to data-17 and install Postgres 17, or rename it to anything else to begin with an empty store.',
    );
  });

  it('needs the key that fits its data', async () => {
    await using place = await serverHome();
    const options = {
      ...place.options,
      projectDirectory: place.projectDirectory,
      env: {},
      applicationName: 'test',
    };
    await using store = await openStore(options);
    const secret = join(place.home, 'secret');
    const key = await readFile(secret);
    await writeFile(secret, 'another\n');
    assert.equal(
      await failure(openStore(options)),
      `The key in ${secret} does not fit the store beside it. Put the original file back, or rename the data folder ` +
        'there to begin with an empty store.',
    );
    await writeFile(secret, key);
    await store.close();
  });

  it('needs programs of Postgres', async function () {
    if (process.platform !== 'linux') this.skip();
    await using folder = await temporaryFolder({
      'old/postgres': '#!/bin/sh\necho "postgres (PostgreSQL) 14.2"',
      'old/initdb': '',
    });
    await chmod(join(folder.path, 'old/postgres'), 0o755);
    const find = (directories: string[]): Promise<unknown> =>
      findBinaries({
        home: join(folder.path, 'home'),
        resources: folder.path,
        account: null,
        major: null,
        systemDirectories: () => Promise.resolve(directories),
      });
    const install =
      'Install one (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; Alpine: ' +
      'apk add postgresql), or set MILLRACE_STORE_URL to a Postgres server.';
    await assert.rejects(find([]), {
      message: `No Postgres to keep the history in: 15 or newer is needed. ${install}`,
    });
    const old = join(folder.path, 'old');
    await assert.rejects(find([old]), {
      message: `No Postgres to keep the history in: 15 or newer is needed. The one in ${old} is 14.2. ${install}`,
    });
  });

  it('uses the system’s programs where none come with Millrace', async function () {
    await using folder = await temporaryFolder();
    const shared = await temporaryHome();
    await chmod(shared, 0o755);
    const { directory, version } = await findBinaries({
      home: shared,
      resources,
      account: null,
      major: null,
    });
    const found = await findBinaries({
      home: join(folder.path, 'home'),
      resources: folder.path,
      account: null,
      major: null,
      systemDirectories: () => Promise.resolve(['/nowhere', directory]),
    });
    assert.deepEqual(found, { directory, version, major: 18, source: 'system' });
  });

  it('needs a state folder that can be made', async () => {
    await using folder = await temporaryFolder({ file: '' });
    const home = join(folder.path, 'file', 'millrace');
    const options = { projectDirectory: folder.path, home, env: {}, resources, applicationName: 'test' };
    assert.equal(
      await failure(openStore(options)),
      `Millrace cannot keep its state in ${home}: ENOTDIR: not a directory, open '${home}/secret'. Make that folder ` +
        'writable, set MILLRACE_HOME to another one, or set MILLRACE_STORE_URL to a Postgres server.',
    );
  });

  it('needs a state folder that the user may write to', async function () {
    const user = await ordinaryUser();
    if (user === null) this.skip();
    await using place = await serverHome();
    await chmod(place.home, 0o755);
    await using project = await temporaryFolder();
    await chmod(project.path, 0o755);
    const home = join(place.home, 'below');
    const answer = await answerOf(user, { home, projectDirectory: project.path });
    assert.equal(
      answer,
      `Millrace cannot keep its state in ${home}: EACCES: permission denied, mkdir '${home}'. Make that folder ` +
        'writable, set MILLRACE_HOME to another one, or set MILLRACE_STORE_URL to a Postgres server.',
    );
  });

  it('of root needs a state folder that its account can reach', async function () {
    if (process.getuid?.() !== 0) this.skip();
    await using folder = await temporaryFolder();
    const home = join(folder.path, 'home');
    const options = { projectDirectory: folder.path, home, env: {}, resources, applicationName: 'test' };
    assert.match(
      await failure(openStore(options)),
      new RegExp(
        `^The embedded Postgres cannot use ${home}: root starts it as "(postgres|nobody)", which may not enter ` +
          `${folder.path}\\. Set MILLRACE_HOME to a folder that every user may enter, for example /var/lib/millrace\\.$`,
      ),
    );
  });

  it('of root needs the right to start it as somebody else', async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) this.skip();
    await using place = await serverHome();
    const client = place.client({}, ['setpriv', '--bounding-set=-all', '--inh-caps=-all']);
    const answer = await client.answer;
    await client.end();
    assert.match(
      'error' in answer ? answer.error : '',
      /^Cannot start the embedded Postgres: it does not run as root, and this root may not start it as "(postgres|nobody)" \(the container was started without the capabilities CHOWN, SETUID and SETGID\)\. Give the container these capabilities, work as an ordinary user, or set MILLRACE_STORE_URL to a Postgres server\.$/,
    );
  });

  it('needs room for its data', async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) this.skip();
    await using place = await serverHome();
    await chmod(place.home, 0o755);
    const home = join(place.home, 'small');
    await mkdir(home);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m,mode=755', 'tmpfs', home], { stdio: 'ignore' });
    } catch {
      this.skip();
    }
    const message =
      `The disk is full: the embedded Postgres cannot write to ${home}. Free some space (a new store needs 150 MB), ` +
      'or set MILLRACE_HOME to a folder on another disk.';
    const options = {
      projectDirectory: place.projectDirectory,
      home,
      env: {},
      resources,
      applicationName: 'test',
    };
    try {
      assert.equal(await failure(openStore(options)), message);
      // The same when there is room for the programs, but not for the data.
      const [programs] = (await readdir(place.home)).filter(name => name.startsWith('bin-'));
      await symlink(join(place.home, programs ?? ''), join(home, programs ?? ''));
      assert.equal(await failure(openStore(options)), message);
    } finally {
      execFileSync('umount', [home]);
    }
  });
});

/** What a process of another user says when it opens a store. */
async function answerOf(
  user: { uid: number; gid: number },
  options: { home: string; projectDirectory: string },
): Promise<string> {
  await using place = await serverHome(user);
  const client = place.client(options);
  const answer = await client.answer;
  await client.end();
  return 'error' in answer ? answer.error : '';
}

function urlOf(project: TemporaryStore, change: Partial<ClientConfig> = {}): string {
  const paths = statePaths(project.home);
  const config = { ...storeDatabaseConfig(paths, project.store.databaseName), ...change };
  const password = encodeURIComponent(String(config.password));
  return `postgres://${config.user ?? ''}:${password}@/${config.database ?? ''}?host=${encodeURIComponent(paths.socketDirectory)}`;
}
