/** `millrace store …`: where the history is kept. */
import type { ClientConfig } from 'pg';
import { latestMigration } from '../../migrations/names.ts';
import { UsageError } from '../engine/errors.ts';
import { storeDatabaseConfig, warehouseConfig } from '../store/embedded/databases.ts';
import { statePaths } from '../store/embedded/paths.ts';
import { serverStatus, stopServer, type ServerStatus } from '../store/embedded/stop.ts';
import { StoreError } from '../store/errors.ts';
import type { StoreLocation } from '../store/location.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { exitCodes } from './exit-codes.ts';
import { formatBytes, formatCount, formatSpan, formatTime, plural } from './format.ts';
import {
  embeddedServer,
  openProject,
  openStoreForRun,
  projectDirectory,
  storeLocation,
} from './open-project.ts';
import { Progress } from './progress.ts';
import { say, type Terminal } from './terminal.ts';

/** The project's directory and what its configuration says about the store. */
interface Place {
  readonly directory: string;
  readonly url: string | undefined;
  readonly retentionDays: number;
  readonly location: StoreLocation;
}

async function findPlace(terminal: Terminal): Promise<Place> {
  const directory = projectDirectory(terminal);
  const { config } = await openProject(terminal, directory, { files: [] });
  const { store: url, retentionDays } = config;
  return { directory, url, retentionDays, location: storeLocation(directory, url) };
}

/** What `store status --json` prints; documented in docs/cli.md. */
interface StoreStatus {
  readonly kind: 'embedded' | 'external';
  readonly state: ServerStatus['state'];
  readonly where: string;
  readonly database: string;
  /** `null`: nothing has been recorded yet, or the server does not run. */
  readonly contents: StoreContents | null;
  readonly server: {
    readonly version: string;
    readonly pid: number;
    readonly clients: number;
    readonly startedAt: string;
  } | null;
}

interface StoreContents {
  readonly schema: string;
  readonly version: string;
  readonly runs: number;
  readonly running: number;
  readonly oldestRunAt: string | null;
  readonly bytes: number;
}

export async function storeStatus(terminal: Terminal, options: { readonly json?: true }): Promise<number> {
  const status = await readStatus(await findPlace(terminal));
  if (options.json === true) terminal.stdout.write(`${JSON.stringify(status, null, 2)}\n`);
  else terminal.stdout.write(drawStatus(status, terminal));
  return exitCodes.success;
}

/** Looks without starting a server. */
async function readStatus(place: Place): Promise<StoreStatus> {
  const { location } = place;
  if (location.kind === 'external') {
    await using store = await openStoreForRun(place.directory, place.url);
    const contents = await readContents(store);
    return {
      kind: 'external',
      state: 'running',
      where: store.description,
      database: store.databaseName,
      contents,
      server: null,
    };
  }
  const { home, databaseName: database } = location;
  const server = await serverStatus(home);
  const base = { kind: 'embedded', state: server.state, where: home, database } as const;
  if (server.state !== 'running') return { ...base, contents: null, server: null };
  const { version, pid, clients, startedAt } = server;
  return {
    ...base,
    contents: await readEmbeddedContents(place),
    server: { version, pid, clients, startedAt: startedAt.toISOString() },
  };
}

async function readEmbeddedContents(place: Place): Promise<StoreContents | null> {
  try {
    await using store = await openStore({
      projectDirectory: place.directory,
      applicationName: 'millrace store status',
      readOnly: true,
      resources: embeddedServer().resources,
    });
    return await readContents(store);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'empty') return null;
    throw error;
  }
}

async function readContents(store: Store): Promise<StoreContents> {
  const client = await store.connect();
  try {
    const { rows } = await client.query<{
      schema: string;
      version: string;
      runs: number;
      running: number;
      oldest: Date | null;
      bytes: number;
    }>(
      `SELECT (SELECT max(name) FROM migration) AS schema, current_setting('server_version') AS version,
        count(*) AS runs, count(*) FILTER (WHERE status = 'running') AS running, min(started_at) AS oldest,
        (SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c
          WHERE c.relnamespace = 'millrace'::regnamespace AND c.relkind = 'r') AS bytes
      FROM run`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('a query of totals returned no row');
    const { schema, version, runs, running, oldest, bytes } = row;
    return { schema, version, runs, running, oldestRunAt: oldest?.toISOString() ?? null, bytes };
  } finally {
    await client.end();
  }
}

function drawStatus(
  { kind, state, where, database, contents, server }: StoreStatus,
  { style }: Terminal,
): string {
  const lines: [string, string][] = [];
  if (kind === 'external') lines.push(['store', where]);
  else {
    lines.push(
      ['store', `embedded Postgres in ${where}`],
      ['state', describeState(state, server)],
      ['database', database],
    );
  }
  if (contents !== null) {
    const running = contents.running === 0 ? '' : ` (${formatCount(contents.running)} going on)`;
    const since =
      contents.oldestRunAt === null ? '' : `, since ${formatTime(new Date(contents.oldestRunAt))}`;
    lines.push(
      ['server', `Postgres ${contents.version}`],
      ['schema', contents.schema],
      ['holds', `${plural(contents.runs, 'run')}${running}${since}; ${formatBytes(contents.bytes)}`],
    );
  } else if (state === 'running') lines.push(['holds', 'nothing of this project yet']);
  return lines.map(([name, value]) => `${style('dim', name.padEnd(10))}${value}\n`).join('');
}

function describeState(state: ServerStatus['state'], server: StoreStatus['server']): string {
  switch (state) {
    case 'never-started':
      return 'not set up yet; the first run does it';
    case 'stopped':
      return 'stopped; whoever needs it starts it';
    case 'running': {
      if (server === null) return 'running';
      const since = formatSpan((Date.now() - Date.parse(server.startedAt)) / 1000);
      return `running for ${since} as process ${String(server.pid)}, ${plural(server.clients, 'client')}`;
    }
  }
}

export async function storeStart(terminal: Terminal): Promise<number> {
  const place = await findPlace(terminal);
  await using store = await openStoreForRun(place.directory, place.url);
  const external = place.location.kind === 'external';
  say(
    terminal,
    external
      ? `The store is ready: ${store.description}.`
      : `The embedded Postgres is ready: ${embeddedServer().home}.`,
  );
  return exitCodes.success;
}

export async function storeStop(terminal: Terminal, options: { readonly force?: true }): Promise<number> {
  const { location } = await findPlace(terminal);
  if (location.kind === 'external') throw externalServer('stop');
  const result = await stopServer(
    { ...embeddedServer(), home: location.home },
    { force: options.force === true },
  );
  switch (result) {
    case 'stopped':
      say(terminal, `The embedded Postgres in ${location.home} is stopped.`);
      return exitCodes.success;
    case 'not-running':
      say(terminal, `The embedded Postgres in ${location.home} does not run.`);
      return exitCodes.success;
    case 'in-use':
      say(
        terminal,
        `The embedded Postgres in ${location.home} is in use: a run is going on, or an editor or another client is connected. ` +
          'Close them, or stop it all the same with --force.',
      );
      return exitCodes.failed;
  }
}

function externalServer(verb: string): UsageError {
  return new UsageError(
    `The store of this project is a Postgres server of your own, which Millrace does not ${verb}.`,
  );
}

export async function storeUrl(terminal: Terminal, options: { readonly warehouse?: true }): Promise<number> {
  const place = await findPlace(terminal);
  if (options.warehouse === true) {
    const server = { ...embeddedServer(), projectDirectory: place.directory };
    terminal.stdout.write(`${connectionUrl(await warehouseConfig(server))}\n`);
    return exitCodes.success;
  }
  // What the URL leads to must be there.
  await using _store = await openStoreForRun(place.directory, place.url);
  terminal.stdout.write(`${urlOf(place.location)}\n`);
  return exitCodes.success;
}

function urlOf(location: StoreLocation): string {
  if (location.kind === 'external') return location.url;
  const config = storeDatabaseConfig(statePaths(location.home), location.databaseName);
  if (config === null) throw new Error('the store was opened, and has no secret');
  // So that clients find the tables by their plain names.
  return connectionUrl(config, { options: '-c search_path=millrace' });
}

/** As libpq takes it. */
function connectionUrl(
  { host = '', port = 5432, user = '', password, database = '' }: ClientConfig,
  parameters: Readonly<Record<string, string>> = {},
): string {
  const secret = typeof password === 'string' ? `:${encodeURIComponent(password)}` : '';
  // A directory is no host of a URL: libpq takes it as a parameter.
  const isSocket = host.startsWith('/');
  const query = Object.entries({ ...(isSocket && { host, port: String(port) }), ...parameters })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  const address = isSocket ? '' : `${host}:${String(port)}`;
  return `postgres://${user}${secret}@${address}/${database}${query === '' ? '' : `?${query}`}`;
}

export async function storeMigrate(terminal: Terminal): Promise<number> {
  const { directory, url } = await findPlace(terminal);
  await using store = await openStoreForRun(directory, url);
  say(terminal, `The schema of the store (${store.description}) is up to date: ${latestMigration}.`);
  return exitCodes.success;
}

export async function storePrune(terminal: Terminal, options: { readonly days?: number }): Promise<number> {
  const { directory, url, retentionDays } = await findPlace(terminal);
  await using store = await openStoreForRun(directory, url);
  const { pruneRuns } = await import('../store/retention.ts');
  const kept = options.days ?? retentionDays;
  const { runs, nodeRuns, outputLines } = await pruneRuns(store, kept);
  const older = `older than ${plural(kept, 'day')}`;
  say(
    terminal,
    runs === 0
      ? `No run is ${older}.`
      : `Deleted ${plural(runs, 'run')} ${older}, with ${plural(nodeRuns, 'node run')} and ${plural(outputLines, 'line')} of output.`,
  );
  return exitCodes.success;
}

export async function storeBackup(terminal: Terminal, file: string): Promise<number> {
  const { directory, url } = await findPlace(terminal);
  await using store = await openStoreForRun(directory, url);
  const { writeBackup } = await import('../store/backup.ts');
  using progress = new Progress(terminal);
  const { runs, rows, bytes } = await writeBackup(store, file, {
    cwd: terminal.directory,
    onProgress: (table, done) => {
      progress.show(`${table}: ${plural(done, 'row')}`);
    },
  });
  progress.clear();
  say(terminal, `Wrote ${plural(runs, 'run')} (${plural(rows, 'row')}, ${formatBytes(bytes)}) to ${file}.`);
  return exitCodes.success;
}

export async function storeRestore(
  terminal: Terminal,
  file: string,
  options: { readonly overwrite?: true },
): Promise<number> {
  const { directory, url } = await findPlace(terminal);
  await using store = await openStoreForRun(directory, url);
  const { readBackup } = await import('../store/restore.ts');
  using progress = new Progress(terminal);
  const { runs, rows } = await readBackup(store, file, {
    cwd: terminal.directory,
    overwrite: options.overwrite === true,
    onProgress: (table, done) => {
      progress.show(`${table}: ${plural(done, 'row')}`);
    },
  });
  progress.clear();
  say(
    terminal,
    `Restored ${plural(runs, 'run')} (${plural(rows, 'row')}) from ${file} into ${store.description}.`,
  );
  return exitCodes.success;
}
