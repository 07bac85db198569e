/** A MariaDB server of a test's own: on a Unix socket in a temporary directory, stopped and removed afterwards. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitUntil } from './wait.ts';

const run = promisify(execFile);

export interface MariaDbServer extends AsyncDisposable {
  /** A user who may do everything in the database `shop`. */
  readonly options: {
    readonly socket: string;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  /** Runs a script as the superuser; gives what it prints, a line per row, columns separated by tabs. */
  execute(sql: string): Promise<string>;
}

/** Starts a server; one for each test file is enough. */
export async function mariaDbServer(): Promise<MariaDbServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mm-'));
  let server: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (server?.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const account = serverAccount();
    await chmod(folder, 0o755);
    const data = join(folder, 'data');
    const runtime = join(folder, 'run');
    for (const directory of [data, runtime]) {
      await mkdir(directory, { mode: 0o755 });
      if (account !== undefined) await chown(directory, account.uid, account.gid);
    }
    const socket = join(runtime, 's');
    const environment = {
      PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      LC_ALL: 'C',
      TMPDIR: runtime,
    };
    const user = account === undefined ? [] : [`--user=${account.name}`];
    await run(
      'mariadb-install-db',
      [
        '--no-defaults',
        `--datadir=${data}`,
        ...user,
        '--skip-test-db',
        '--auth-root-authentication-method=normal',
      ],
      { env: environment, cwd: '/' },
    );
    server = spawn(
      'mariadbd',
      [
        '--no-defaults',
        `--datadir=${data}`,
        ...user,
        `--socket=${socket}`,
        `--pid-file=${join(runtime, 'pid')}`,
        `--tmpdir=${runtime}`,
        '--skip-networking',
        '--innodb-flush-method=fsync',
        '--innodb-flush-log-at-trx-commit=0',
        '--innodb-buffer-pool-size=16M',
        '--character-set-server=utf8mb4',
        '--local-infile=1',
      ],
      { env: environment, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    server.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    const started = server;
    const execute = async (sql: string): Promise<string> => {
      const { stdout } = await run('mariadb', [
        '--no-defaults',
        `--socket=${socket}`,
        '--user=root',
        '--batch',
        '--skip-column-names',
        '--default-character-set=utf8mb4',
        `--execute=${sql}`,
      ]);
      return stdout;
    };
    await waitUntil(async () => {
      if (started.exitCode !== null) throw new Error(`the test's server did not start:\n${log}`);
      return await execute('select 1').then(
        () => true,
        () => false,
      );
    });
    const options = { socket, user: 'etl', password: "s3cr'et pass", database: 'shop' };
    await execute(
      `create database shop character set utf8mb4;
       create user etl@localhost identified by 's3cr''et pass';
       grant all on shop.* to etl@localhost`,
    );
    return { options, execute, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The server refuses to run as root. */
function serverAccount(): { readonly name: string; readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'));
  for (const name of ['mysql', 'nobody']) {
    const entry = accounts.find(fields => fields[0] === name);
    if (entry !== undefined) return { name, uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new Error('running as root, and neither "mysql" nor "nobody" is in /etc/passwd');
}
