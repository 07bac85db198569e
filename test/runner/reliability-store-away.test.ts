import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';
import { isRunning, postmasterPid } from '../../runner/store/embedded/postmaster.ts';
import { currentData } from '../../runner/store/embedded/server.ts';
import { runMillrace } from '../support/millrace.ts';
import {
  attemptsOf,
  eventsOf,
  linesOf,
  outcomesOf,
  testProject,
  type TestProject,
} from '../support/project.ts';
import { temporaryHome } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

/** `ticker` prints numbered lines until there is a file "stop", beside a chain of tasks that wait for files. */
const pipeline = `
  import { Pipeline, RunBash, Task } from 'millrace';
  const work = new Pipeline({ id: 'work' });
  work.add(new Task({ id: 'ticker', commands: [new RunBash(
    'i=0; while [ ! -e stop ]; do i=$((i+1)); echo "line $i"; sleep 0.005; done; echo "last $i"')] }));
  for (const step of ['one', 'two', 'three', 'four']) {
    const before = { one: [], two: ['one'], three: ['two'], four: ['three'] }[step];
    work.add(new Task({ id: step, commands: [new RunBash(
      'echo "' + step + ' begins"; until [ -e ' + step + ' ]; do sleep 0.01; done; echo "' + step + ' ends"')] }), before);
  }
  export default work;`;

/** What the output of `ticker` must be: no line is missing, none is doubled, and none has changed places. */
function assertTicks(lines: readonly string[]): void {
  const last = Number(/^last (\d+)$/.exec(lines.at(-1) ?? '')?.[1]);
  const [command, ...ticks] = lines;
  assert.match(command ?? '', /^i=0; while/);
  assert.deepEqual(ticks, [
    ...Array.from({ length: last }, (_, index) => `line ${String(index + 1)}`),
    `last ${String(last)}`,
  ]);
}

const ticks = (stdout: string): number => stdout.split('"message":"line ').length - 1;

async function killServer(home: string): Promise<void> {
  const data = await currentData(home);
  const pid = data === null ? null : await postmasterPid(data.directory);
  assert.ok(data !== null && pid !== null, 'no server runs');
  process.kill(pid, 'SIGKILL');
  await waitUntil(async () => !(await isRunning(data.directory)));
}

/** A server of its own, which the project reaches by a URL, so that nobody starts it again but the test. */
class ExternalServer implements AsyncDisposable {
  readonly home: string;
  readonly url: string;
  readonly #project: TestProject;

  private constructor(home: string, url: string, project: TestProject) {
    this.home = home;
    this.url = url;
    this.#project = project;
  }

  static async start(project: TestProject): Promise<ExternalServer> {
    const home = await mkdtemp(join(tmpdir(), 'mx-'));
    const { exitCode, stderr } = await project.run(['store', 'migrate'], { env: { MILLRACE_HOME: home } });
    assert.equal(exitCode, 0, stderr);
    const { stdout } = await project.run(['store', 'url'], { env: { MILLRACE_HOME: home } });
    return new ExternalServer(home, stdout.trim(), project);
  }

  get env(): Record<string, string> {
    return { MILLRACE_STORE_URL: this.url };
  }

  async startAgain(): Promise<void> {
    await this.#store('start');
  }

  async stop(): Promise<void> {
    await this.#store('stop', '--force');
  }

  async query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url, options: '-c search_path=millrace' });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async #store(...args: string[]): Promise<void> {
    const end = await runMillrace(['store', ...args], {
      cwd: this.#project.path,
      env: { MILLRACE_HOME: this.home },
    });
    assert.equal(end.exitCode, 0, end.stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.home, { recursive: true, force: true });
  }
}

const outputInOrder = `SELECT message FROM node_output JOIN node_run USING (node_run_id)
  WHERE node_path = '{work,ticker}' ORDER BY node_run_id, seq`;
const statuses = `SELECT array_to_string(node_path, '/') || ' ' || status AS line FROM node_run ORDER BY 1`;
const allSucceeded = ['four', 'one', 'three', 'ticker', 'two'].map(id => `work/${id} succeeded`);

/** Of a project, by the name of its database. */
async function spools(project: TestProject): Promise<string[]> {
  const database = basename(project.path).toLowerCase().replaceAll('-', '_');
  const folder = join(await temporaryHome(), 'spool');
  if (!existsSync(folder)) return [];
  const names = await readdir(folder, { recursive: true });
  return names
    .filter(name => name.includes(database) && name.endsWith('.spool'))
    .map(name => join(folder, name));
}

/** The server's last words, or what befell a write that came after them. */
const cutOff =
  /terminating connection due to administrator command|Connection terminated unexpectedly|write EPIPE|(read|write) ECONNRESET|This socket has been ended by the other party/;

const waiting =
  'millrace: The tasks are done. Waiting up to 10 s for the store, which is away; Ctrl-C ends the waiting.\n';

describe('the store goes away in the middle of a run', function () {
  it('and comes back: killed, then shut down, tasks go on and the record is whole', async () => {
    await using project = await testProject({ 'work.pipeline.ts': pipeline });
    await using run = await project.start(['run', 'work', '--parallel', '2', '--json']);
    const stored = async (): Promise<number> =>
      Number((await project.query<{ n: number }>('SELECT count(*) AS n FROM node_output'))[0]?.n);
    const goesOn = async (): Promise<void> => {
      const before = ticks(run.output().stdout);
      await run.until(() => ticks(run.output().stdout) > before + 50);
      await run.until(async () => (await stored()) > before + 50);
    };
    await run.until(() => linesOf(eventsOf(run.output().stdout), 'work/one').includes('one begins'));
    await goesOn();
    await killServer(await temporaryHome());
    await project.write({ one: '' });
    await run.until(() => linesOf(eventsOf(run.output().stdout), 'work/two').includes('two begins'));
    await goesOn();
    const stop = await project.run(['store', 'stop', '--force']);
    assert.equal(stop.exitCode, 0, stop.stderr);
    await project.write({ two: '' });
    await run.until(() => linesOf(eventsOf(run.output().stdout), 'work/three').includes('three begins'));
    await goesOn();
    await killServer(await temporaryHome());
    await project.write({ stop: '', three: '', four: '' });
    const { exitCode, stdout, stderr } = await run.end;
    assert.equal(exitCode, 0, stderr);
    assertTicks(linesOf(eventsOf(stdout), 'work/ticker'));
    // On a machine that is very busy the server may not be back by now: then the next command stores the rest.
    assert.match(
      stderr.replace(waiting, ''),
      /^(millrace: The store (was away for \d+\.\d s \([^\n]+\)|is away \([^\n]+\)\. The record of [^\n]+)\.\n){1,3}$/,
    );
    await project.run(['runs']);
    assertTicks((await project.query<{ message: string }>(outputInOrder)).map(({ message }) => message));
    const rows = await project.query<{ line: string }>(statuses);
    assert.deepEqual(
      rows.map(({ line }) => line),
      ['work succeeded', ...allSucceeded],
    );
    assert.deepEqual(await spools(project), []);
  });

  it('and with it the warehouse: the next task that has SQL brings it back', async () => {
    await using project = await testProject({
      'work.pipeline.ts': `
        import { ExecuteSQL, Pipeline, RunBash, Task } from 'millrace';
        export default new Pipeline({ id: 'work' })
          .add(new Task({ id: 'before', commands: [new ExecuteSQL({ sql: 'create table numbers as select 1 as number' })] }))
          .add(new Task({ id: 'between', maxRetries: 0, commands: [
            new RunBash('echo begins; until [ -e stop ]; do sleep 0.01; done') ] }), ['before'])
          .add(new Task({ id: 'after', maxRetries: 0, commands: [
            new ExecuteSQL({ sql: 'select number from numbers', echoQueries: false }) ] }), ['between']);`,
    });
    await using run = await project.start(['run', 'work', '--parallel', '1', '--json']);
    await run.until(() => linesOf(eventsOf(run.output().stdout), 'work/between').includes('begins'));
    await killServer(await temporaryHome());
    await project.write({ stop: '' });
    const { exitCode, stdout, stderr } = await run.end;
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(linesOf(eventsOf(stdout), 'work/after'), [' number', '--------', '      1', '(1 row)']);
  });

  it('until after its end: the record waits in the spool, and the next command stores it', async () => {
    await using project = await testProject({ 'work.pipeline.ts': pipeline });
    await using server = await ExternalServer.start(project);
    await using run = await project.start(['run', 'work', '--parallel', '2', '--json'], { env: server.env });
    await run.until(() => linesOf(eventsOf(run.output().stdout), 'work/one').includes('one begins'));
    await run.until(() => ticks(run.output().stdout) > 50);
    await server.stop();
    await project.write({ one: '' });
    await run.until(() => linesOf(eventsOf(run.output().stdout), 'work/two').includes('two begins'));
    await project.write({ stop: '', two: '', three: '', four: '' });
    await run.until(() => run.output().stderr.includes('Ctrl-C ends the waiting'));
    run.signal('SIGINT');
    const { exitCode, stdout, stderr } = await run.end;
    assert.equal(exitCode, 0, stderr);
    assert.equal(outcomesOf(eventsOf(stdout))['work'], 'succeeded');
    const [spool = ''] = await spools(project);
    const runId = String(eventsOf(stdout)[0]?.runId);
    assert.equal(
      stderr.replace(cutOff, 'CUT OFF'),
      waiting +
        'millrace: The store is away (CUT OFF). ' +
        `The record of run ${runId} is complete in ${spool}; ` +
        'it is stored by the next command that reaches the store.\n',
    );

    await server.startAgain();
    const { stdout: shown } = await project.run(['runs', '--json'], { env: server.env });
    const [row] = JSON.parse(shown) as { status: string }[];
    assert.equal(row?.status, 'succeeded');
    assertTicks((await server.query<{ message: string }>(outputInOrder)).map(({ message }) => message));
    const rows = await server.query<{ line: string }>(statuses);
    assert.deepEqual(
      rows.map(({ line }) => line),
      ['work succeeded', ...allSucceeded],
    );
    assert.deepEqual(await spools(project), []);
  });

  it('and the runner is killed meanwhile: what it had spooled is stored, and the run is lost', async () => {
    await using project = await testProject({ 'work.pipeline.ts': pipeline });
    await using server = await ExternalServer.start(project);
    await using run = await project.start(['run', 'work', '--parallel', '2', '--json'], { env: server.env });
    await run.until(() => ticks(run.output().stdout) > 50);
    await server.stop();
    await project.write({ one: '' });
    await run.until(() => linesOf(eventsOf(run.output().stdout), 'work/two').includes('two begins'));
    const seen = ticks(run.output().stdout);
    await run.until(async () => {
      const [spool] = await spools(project);
      return spool !== undefined && readFileSync(spool, 'latin1').includes(`line ${String(seen)}`);
    });
    run.signal('SIGKILL');
    await run.end;
    await server.startAgain();
    const { stdout } = await project.run(['runs', '--json'], { env: server.env });
    assert.equal((JSON.parse(stdout) as { status: string }[])[0]?.status, 'lost');
    const [, ...lines] = (await server.query<{ message: string }>(outputInOrder)).map(
      ({ message }) => message,
    );
    assert.ok(lines.length >= seen);
    assert.deepEqual(
      lines,
      lines.map((_, index) => `line ${String(index + 1)}`),
    );
    const rows = await server.query<{ line: string }>(statuses);
    assert.deepEqual(
      rows.map(({ line }) => line),
      ['work lost', 'work/one succeeded', 'work/ticker lost', 'work/two lost'],
    );
    assert.deepEqual(await spools(project), []);
  });

  it('and the run is cancelled meanwhile', async () => {
    await using project = await testProject({ 'work.pipeline.ts': pipeline });
    await using server = await ExternalServer.start(project);
    await using run = await project.start(['run', 'work', '--parallel', '2', '--json'], { env: server.env });
    await run.until(() => ticks(run.output().stdout) > 50);
    await server.stop();
    run.signal('SIGINT');
    const { exitCode, stdout, stderr } = await run.end;
    assert.equal(exitCode, 130, stderr);
    assert.equal(attemptsOf(eventsOf(stdout), 'work/ticker')[0]?.status, 'cancelled');
    const [spool = ''] = await spools(project);
    const runId = String(eventsOf(stdout)[0]?.runId);
    assert.equal(
      stderr.replace(cutOff, 'CUT OFF'),
      'millrace: Cancelling: tasks are asked to end. Press Ctrl-C again to kill them.\n' +
        waiting +
        'millrace: The store is away (CUT OFF). ' +
        `The record of run ${runId} is complete in ${spool}; ` +
        'it is stored by the next command that reaches the store.\n',
    );
    await server.startAgain();
    const { stdout: shown } = await project.run(['runs', '--json'], { env: server.env });
    const [row] = JSON.parse(shown) as { status: string }[];
    assert.equal(row?.status, 'cancelled');
  });

  it('and the disk of the spool is full: the run ends as failed and says why', async function () {
    const folder = join(await temporaryHome(), 'spool');
    await mkdir(folder, { recursive: true });
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    if (mounted.status !== 0) this.skip();
    try {
      await using project = await testProject({
        'work.pipeline.ts': `
          import { Pipeline, RunBash, Task } from 'millrace';
          export default new Pipeline({ id: 'work' })
            .add(new Task({ id: 'talks', commands: [new RunBash('echo begins; until [ -e go ]; do sleep 0.01; done; yes "some text"')] }))
            .add(new Task({ id: 'after', commands: [new RunBash('true')] }), ['talks']);`,
      });
      await using server = await ExternalServer.start(project);
      await using run = await project.start(['run', 'work'], { env: server.env });
      await run.until(() => run.output().stdout.includes('begins'));
      await server.stop();
      await project.write({ go: '' });
      const { exitCode, stdout, stderr } = await run.end;
      assert.equal(exitCode, 1);
      assert.match(stdout.slice(-200), /\n✗ run 1 failed in [\d.]+m?s: 2 cancelled\n$/);
      const [spool = ''] = await spools(project);
      assert.equal(
        stderr.replace(/\d+(?= lines of output)/, 'N').replace(cutOff, 'CUT OFF'),
        waiting +
          'millrace: N lines of output are lost.\n' +
          `millrace: The store is away (CUT OFF), and the spool ${spool} ` +
          'cannot be written: ENOSPC: no space left on device, write. Make room on that disk, or set MILLRACE_HOME to ' +
          'a folder on another one. The record of run 1 is not complete.\n',
      );
      // What fitted is stored when the store is back; that the run failed is not part of it.
      await server.startAgain();
      const runs = await project.run(['runs', '--json'], { env: server.env });
      assert.equal((JSON.parse(runs.stdout) as { status: string }[])[0]?.status, 'lost', runs.stderr);
    } finally {
      spawnSync('umount', [folder]);
    }
  });
});
