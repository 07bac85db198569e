import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { textOfAllRows } from '../support/all-rows.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { canListProcesses, ProcessMark } from '../support/processes.ts';
import { isInstalled } from '../support/programs.ts';
import { eventsOf, outcomesOf, testProject, type TestProject } from '../support/project.ts';
import { temporaryHome } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

/** All of them are in the environment of the run, as in a real project. */
const secrets = {
  STORE_PASSWORD: 'st0re-pa55/word',
  DWH_PASSWORD: 'dwh pa$$: "wörd"%41',
  WRONG_PASSWORD: 'wr0ng-pa55word',
  API_TOKEN: 't0ken-of-passwordMasks',
  HTTP_TOKEN: 'http-t0ken-that-nobody-masks',
} as const;

/** The same as they would stand in URLs. */
const forms = Object.values(secrets).flatMap(secret => [secret, encodeURIComponent(secret)]);

const config = `
  import { defineConfig, postgres } from 'millrace';
  const { DB_HOST: host, DWH_PASSWORD: password, WRONG_PASSWORD, API_TOKEN } = process.env;
  const dwh = { host, database: 'dwh', user: 'etl' };
  export default defineConfig({
    databases: {
      dwh: postgres({ ...dwh, password }),
      by_psql: postgres({ ...dwh, password, client: 'psql' }),
      wrong: postgres({ ...dwh, password: WRONG_PASSWORD }),
    },
    passwordMasks: [API_TOKEN],
    systemStatisticsInterval: 0,
  });`;

const pipeline = `
  import { assertEqual, csv, ExecuteSQL, HttpRequest, Pipeline, ReadFile, ReadScriptOutput, RunBash, RunFunction, RunProcess, RunScript, Task, WriteFile } from 'millrace';
  const { DWH_PASSWORD, API_TOKEN, HTTP_TOKEN, HTTP_URL } = process.env;
  const quoted = "'" + DWH_PASSWORD.replaceAll("'", "''") + "'";
  const leaky = new Pipeline({ id: 'leaky', onFailure: 'runAll' });
  const task = (id: string, ...commands) => leaky.add(new Task({ id, commands }));
  // What nobody has named is no secret to a command that prints all of the environment.
  const unnamed = { HTTP_TOKEN: undefined };
  task('bash', new RunBash({ env: unnamed, command: 'echo "to be masked: $DWH_PASSWORD"; echo "$DWH_PASSWORD" >&2; env; ' +
    'printf %s "\${API_TOKEN%mas*}"; sleep 0.1; printf "%s\\\\n" "mas\${API_TOKEN#*mas}"' }));
  task('process', new RunProcess({ command: 'printenv', env: unnamed }));
  task('script', new RunScript({ file: 'print.py', env: { COPY: DWH_PASSWORD } }));
  task('function', new RunFunction(({ log }) => {
    console.log(DWH_PASSWORD);
    log.info(process.env.STORE_PASSWORD ?? '');
    throw new Error('cannot log in with ' + DWH_PASSWORD, { cause: new Error('nor with ' + API_TOKEN) });
  }));
  task('sql', new ExecuteSQL({ sql: () => 'select ' + quoted + ' as password, ' + quoted + '::int' }));
  task('sql_psql', new ExecuteSQL({ db: 'by_psql', sql: 'select @p@ as password, pg_advisory_lock(7); select @p@::int', replace: { '@p@': () => quoted } }));
  task('check', assertEqual({ description: 'Found', sql: 'select ' + quoted, expected: 'another' }));
  task('wrong', new ExecuteSQL({ db: 'wrong', sql: 'select 1' }));
  task('file', new ReadFile({ file: 'numbers.csv', table: 'numbers', mapper: 'print.py' }));
  task('output', new ReadScriptOutput({ file: 'print.py', table: 'numbers' }));
  task('write', new WriteFile({ file: 'out/x.csv', sql: 'select 1 / (' + quoted + ' is null)::int' }));
  task('http', new HttpRequest({ url: HTTP_URL + '/?token=' + HTTP_TOKEN, headers: { Authorization: 'Bearer ' + HTTP_TOKEN } }));
  task('waits', new RunBash('until [ -e go ]; do echo "$API_TOKEN"; sleep 0.02; done'));
  export default leaky;
  // Only shown: what stands in the text of a command, everybody can see while it runs.
  export const shown = new Pipeline({ id: 'shown' });
  shown.add(new Task({ id: 'text', commands: [new RunBash('echo ' + API_TOKEN + ' | wc -l')] }));`;

describe('secrets', () => {
  let server: TestServer;
  let echo: Server;
  let project: TestProject;
  let env: Record<string, string>;
  before(async function () {
    this.timeout(60_000);
    server = await testServer();
    await server.query('create database dwh');
    await server.query('create database store');
    for (const [role, password] of [
      ['etl', secrets.DWH_PASSWORD],
      ['keeper', secrets.STORE_PASSWORD],
    ] as const) {
      await server.query(`create role ${role} superuser login password ${pg.escapeLiteral(password)}`);
    }
    echo = createServer((request, response) => {
      response.writeHead(500).end(`${String(request.url)} ${JSON.stringify(request.headers)}`);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const { host, port } = server.config;
    const store = `postgres://keeper:${encodeURIComponent(secrets.STORE_PASSWORD)}@localhost:${String(port)}/store?host=${encodeURIComponent(host)}`;
    env = {
      ...secrets,
      MILLRACE_STORE_URL: store,
      DB_HOST: host,
      HTTP_URL: `http://127.0.0.1:${String((echo.address() as AddressInfo).port)}`,
    };
    project = await testProject({
      'millrace.config.ts': config,
      'leaky.pipeline.ts': pipeline,
      'print.py':
        'import os, sys\nsys.stderr.write(os.environ["DWH_PASSWORD"] + "\\n")\nprint(os.environ["DWH_PASSWORD"])\n',
      'data/numbers.csv': '1\n',
    });
    const dwh = new pg.Client({ ...server.config, database: 'dwh' });
    await dwh.connect();
    await dwh.query('create table numbers (n int)');
    await dwh.end();
  });
  after(async () => {
    await project[Symbol.asyncDispose]();
    echo.close();
    await once(echo, 'close');
    await server[Symbol.asyncDispose]();
  });

  it('are nowhere to be read: process list, output, store, file of what could not be stored, history, graph', async function () {
    this.timeout(60_000);
    const processes = new ProcessList();
    const written = new Map<string, string>();
    let stdout = '';
    let stderr = '';
    const mark = new ProcessMark();
    // Keeps the client of task `sql_psql` where it is until it was looked at.
    const holder = new pg.Client({ ...server.config, database: 'dwh' });
    await holder.connect();
    await using ends = new AsyncDisposableStack();
    ends.defer(() => holder.end());
    {
      await holder.query('select pg_advisory_lock(7)');
      await using run = await project.start(['run', 'leaky', '--parallel', '4', '--json'], {
        env: { ...env, ...mark.env },
      });
      if (canListProcesses && isInstalled('psql'))
        await run.until(() => mark.running().some(({ command }) => command.includes('psql --')));
      await processes.look();
      await holder.query('select pg_advisory_unlock(7)');
      const finished = (): number => stdoutEnds(run.stdout);
      await run.until(async () => {
        await processes.look();
        return finished() >= 12;
      });
      // While the store is away, what happens is kept in a file.
      await server.query('alter database store allow_connections false');
      await server.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'store'");
      await waitUntil(async () => {
        for (const [file, content] of await spooled()) written.set(file, content);
        return [...written.values()].some(content => content.includes('***'));
      });
      await server.query('alter database store allow_connections true');
      await project.write({ go: '' });
      ({ stdout, stderr } = await run.end);
    }
    const outcomes = outcomesOf(eventsOf(stdout));
    const succeeded = ['bash', 'process', 'script', 'waits'];
    for (const [path, outcome] of Object.entries(outcomes)) {
      const id = path.replace('leaky/', '');
      if (id !== '' && id !== 'leaky')
        assert.equal(outcome, succeeded.includes(id) ? 'succeeded' : 'failed', path);
    }
    assert.equal(Object.keys(outcomes).length, 14, 'everything has run');
    const history = await project.run(['show', '1', '--json'], { env });
    const logs = await project.run(['logs', '1'], { env });
    const graph = await project.run(['graph'], { env });
    const list = await project.run(['list', '--json'], { env });
    const stored = await textOfAllRows({ ...server.config, database: 'store' });
    assert.ok(stored.includes('to be masked: ***') && logs.stdout.includes('to be masked: ***'));
    assert.ok(graph.stdout.includes('echo *** | wc -l') && stdout.includes('cannot log in with ***'));
    const places: Readonly<Record<string, string>> = {
      'standard output': stdout,
      'standard error': stderr,
      store: stored,
      spool: [...written.values()].join('\n'),
      'process list': processes.seen(),
      show: history.stdout + history.stderr,
      logs: logs.stdout + logs.stderr,
      graph: graph.stdout + graph.stderr,
      list: list.stdout + list.stderr,
    };
    for (const [place, text] of Object.entries(places)) {
      assert.notEqual(text, '', `${place}: nothing was looked at`);
      for (const secret of forms) {
        // As it is, and as it stands in JSON.
        for (const form of [secret, JSON.stringify(secret).slice(1, -1)]) {
          const at = text.indexOf(form);
          assert.equal(at, -1, `${place}: ${text.slice(Math.max(0, at - 200), at + 100)}`);
        }
      }
    }
  });

  /** How many tasks have ended. */
  const stdoutEnds = (text: string): number => text.split('"type":"node_finished"').length - 1;

  /** What is kept in files below the state folder, without the embedded server's own and without compiled code. */
  async function spooled(): Promise<readonly (readonly [file: string, content: string])[]> {
    const home = await temporaryHome();
    const names = await readdir(home, { recursive: true, withFileTypes: true });
    const files = names
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
      .filter(file => file.slice(home.length).includes('spool'));
    return await Promise.all(
      files.map(async file => [file, await readFile(file, 'latin1').catch(() => '')] as const),
    );
  }
});

/** Command lines of all processes of the machine, as everybody can read them. */
class ProcessList {
  readonly #lines = new Set<string>();

  async look(): Promise<void> {
    if (!canListProcesses) return;
    const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
    const lines = await Promise.all(
      pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    for (const line of lines) this.#lines.add(line.replaceAll('\0', ' '));
  }

  seen(): string {
    return canListProcesses ? [...this.#lines].join('\n') : 'cannot be read here';
  }
}
