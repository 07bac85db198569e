import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventsOf, attemptsOf, testProject } from '../support/project.ts';
import { testServer, type TestServer } from '../support/postgres.ts';
import { runMillrace } from '../support/millrace.ts';
import { temporaryFolder } from '../support/temp.ts';

const work = {
  'p.pipeline.ts': `
    import { Pipeline, RunBash, Task } from 'millrace';
    export default new Pipeline({ id: 'p' }).add(new Task({ id: 'a', commands: [new RunBash('true')] }));`,
};

describe('bad input', () => {
  describe('for the store', () => {
    let server: TestServer;
    before(async () => {
      server = await testServer();
    });
    after(() => server[Symbol.asyncDispose]());

    const url = (parts: { user?: string; password?: string; database?: string } = {}): string => {
      const { user = 'postgres', password = server.config.password, database = 'postgres' } = parts;
      return `postgres://${user}:${encodeURIComponent(password)}@localhost/${database}?host=${encodeURIComponent(server.config.host)}`;
    };
    const cases: [string, () => string, () => string][] = [
      [
        'a wrong password',
        () => url({ password: 'wrong' }),
        () =>
          `The store on ${server.config.host}:5432 refuses user "postgres" for database "postgres": password authentication ` +
          'failed for user "postgres". Correct the user or the password in MILLRACE_STORE_URL.',
      ],
      [
        'a database that does not exist',
        () => url({ database: 'nowhere' }),
        () =>
          `The database "nowhere" does not exist on ${server.config.host}:5432. Create it (CREATE DATABASE "nowhere"), or ` +
          'correct MILLRACE_STORE_URL. Millrace makes its tables in it by itself.',
      ],
      [
        'a port that nobody listens on',
        () => 'postgres://ann:pw@127.0.0.1:1/store',
        () =>
          'Cannot reach the store: nobody listens on 127.0.0.1:1. Start the Postgres server there, or correct MILLRACE_STORE_URL.',
      ],
      [
        'an unknown host',
        () => 'postgres://ann:pw@no-such-host.invalid/store',
        () =>
          'Cannot reach the store: the host of no-such-host.invalid:5432 is unknown. Check the network, or correct MILLRACE_STORE_URL.',
      ],
    ];
    for (const [name, storeUrl, message] of cases) {
      it(name, async () => {
        await using project = await testProject(work);
        for (const args of [['run', 'p'], ['runs']]) {
          const end = await project.run(args, { env: { MILLRACE_STORE_URL: storeUrl() } });
          assert.deepEqual(end, { exitCode: 3, stdout: '', stderr: `millrace: ${message()}\n` });
        }
      });
    }

    it('what is no URL of Postgres', async () => {
      await using project = await testProject(work);
      for (const storeUrl of ['postgres://', 'mysql://ann:pw@localhost/store', 'store']) {
        assert.deepEqual(await project.run(['run', 'p'], { env: { MILLRACE_STORE_URL: storeUrl } }), {
          exitCode: 2,
          stdout: '',
          stderr: 'millrace: MILLRACE_STORE_URL must be a URL like "postgres://user@host:5432/database".\n',
        });
      }
    });

    it('a database of a newer version', async () => {
      await using project = await testProject(work);
      await server.query('CREATE DATABASE newer');
      const env = { MILLRACE_STORE_URL: url({ database: 'newer' }) };
      const made = await project.run(['run', 'p'], { env });
      assert.equal(made.exitCode, 0, made.stderr);
      const [row] =
        await inNewer(`INSERT INTO millrace.migration VALUES ('9999_from_the_future', now()::text) RETURNING
        (SELECT max(name) FROM millrace.migration) AS latest`);
      assert.deepEqual(await project.run(['run', 'p'], { env }), {
        exitCode: 3,
        stdout: '',
        stderr:
          `millrace: The store (Postgres database newer on ${server.config.host}:5432) was made by a newer Millrace: its schema ` +
          `is 9999_from_the_future, this Millrace knows ${String(row?.['latest'])}. Update Millrace here, or let ` +
          'MILLRACE_STORE_URL name another database.\n',
      });
    });

    async function inNewer(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
      const { default: pg } = await import('pg');
      const client = new pg.Client({ ...server.config, database: 'newer' });
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await client.end();
      }
    }

    it('a data directory of another major version', async () => {
      await using project = await testProject(work);
      const home = await mkdtemp(join(tmpdir(), 'mh-'));
      try {
        await mkdir(join(home, 'data-17'));
        await writeFile(join(home, 'data-17', 'PG_VERSION'), '17\n');
        const end = await project.run(['run', 'p'], { env: { MILLRACE_HOME: home } });
        assert.deepEqual(end, {
          exitCode: 3,
          stdout: '',
          stderr:
            `millrace: The store in ${join(home, 'data-17')} was made by Postgres 17, and no Postgres 17 is here to open it. ` +
            'Install it (Debian, Ubuntu: apt-get install postgresql-17), or rename that folder to begin with an empty store.\n',
        });
      } finally {
        await rm(home, { recursive: true, force: true });
      }
    });

    it('a state folder that cannot be written', async () => {
      await using project = await testProject(work);
      await using home = await temporaryFolder({ file: '' });
      const place = join(home.path, 'file', 'state');
      const end = await project.run(['run', 'p'], { env: { MILLRACE_HOME: place } });
      assert.deepEqual(end, {
        exitCode: 3,
        stdout: '',
        stderr:
          `millrace: Millrace cannot keep its state in ${place}: ENOTDIR: not a directory, open '${join(place, 'secret')}'. ` +
          'Make that folder writable, set MILLRACE_HOME to another one, or set MILLRACE_STORE_URL to a Postgres server.\n',
      });
    });
  });

  describe('for the project', () => {
    it('a directory that does not exist, and none at all', async () => {
      await using folder = await temporaryFolder();
      const missing = join(folder.path, 'missing');
      assert.deepEqual(await runMillrace(['run', '--project', missing], { cwd: folder.path }), {
        exitCode: 2,
        stdout: '',
        stderr: `millrace: The project directory ${missing} does not exist.\n`,
      });
      assert.deepEqual(await runMillrace(['list'], { cwd: folder.path }), {
        exitCode: 2,
        stdout: '',
        stderr:
          `millrace: No project found: neither ${folder.path} nor a directory above it has a millrace.config.ts, a package.json ` +
          'or a .git. Make one with "millrace init", or name the directory of an existing one with "--project DIR".\n',
      });
    });

    it('a path, a node and a run that do not exist', async () => {
      await using project = await testProject(work);
      const texts: [string[], string][] = [
        [['run', 'q'], 'There is no node "q". The project has: "p".'],
        [['run', 'p/b'], 'There is no node "p/b". "p" has: "a".'],
        [['run', 'p', '--nodes', 'zebra'], 'There is no node "p/zebra". "p" has: "a".'],
        [['run', 'p/a/x'], 'There is no node "p/a/x": "p/a" is a task and has no nodes of its own.'],
        [['run', '--resume', '99'], 'There is no run 99 in this project. See "millrace runs".'],
        [
          ['run', 'p', '--resume', '99'],
          'A run is resumed with its own selection: give either a path or --resume.',
        ],
        [['logs', '99'], 'There is no run 99 in this project. Nothing has been run in it yet.'],
        [['cancel', '99'], 'There is no run 99 in this project. See "millrace runs".'],
      ];
      for (const [args, text] of texts) {
        const end = await project.run(args);
        assert.deepEqual(end, { exitCode: 2, stdout: '', stderr: `millrace: ${text}\n` }, args.join(' '));
      }
    });

    it('a configuration with several mistakes: all at once', async () => {
      await using project = await testProject({
        ...work,
        'millrace.config.ts': `export default { maxParalelTasks: 2, defaultMaxRetries: -1, firstDate: 'yesterday', colour: 'red', databases: [] };`,
      });
      const end = await project.run(['run', 'p'], { env: { MILLRACE_RETENTION_DAYS: 'long' } });
      assert.deepEqual(end, {
        exitCode: 2,
        stdout: '',
        stderr:
          'millrace: millrace.config.ts has unknown keys: "maxParalelTasks" (did you mean "maxParallelTasks"?), "colour". ' +
          'There are: databases, defaultDatabase, dataDir, firstDate, lastDate, maxParallelTasks, defaultMaxRetries, ' +
          'retentionDays, shell, eventHandlers, passwordMasks, systemStatisticsInterval, pipelineFiles, root, store, killTimeout.\n' +
          'millrace.config.ts: defaultMaxRetries must be a whole number of at least 0, not -1.\n' +
          'millrace.config.ts: firstDate must be a day like "2000-01-31", not "yesterday".\n' +
          'millrace.config.ts: databases must be an object with databases by alias, like { dwh: postgres({ url }) }, not an array.\n' +
          'MILLRACE_RETENTION_DAYS must be a whole number of at least 1, not "long".\n',
      });
    });

    it('a configuration that throws', async () => {
      await using project = await testProject({
        ...work,
        'millrace.config.ts': `export default defineConfig({});`,
      });
      const end = await project.run(['run', 'p']);
      assert.deepEqual(end, {
        exitCode: 2,
        stdout: '',
        stderr:
          "millrace: millrace.config.ts:1:1: error: ReferenceError: defineConfig is not defined. Import it: import { defineConfig } from 'millrace';\n" +
          'export default defineConfig({});\n^\n',
      });
    });

    it('a pipeline file that throws does not hide the others', async () => {
      await using project = await testProject({ ...work, 'broken.pipeline.ts': `const x: number = ;\n` });
      const end = await project.run(['run', 'p']);
      assert.equal(end.exitCode, 0);
      assert.equal(
        end.stderr,
        'millrace: broken.pipeline.ts:1:19: error: Expression expected.\n' +
          'const x: number = ;\n                  ^\n',
      );
      const all = await project.run(['run']);
      assert.equal(all.exitCode, 1);
      assert.match(all.stdout, /p \/ a: ✓ succeeded/);
    });

    it('files and databases that commands name', async () => {
      await using project = await testProject({
        'p.pipeline.ts': `
          import { ExecuteSQL, Pipeline, ReadFile, RunScript, RunProcess, Task, csv } from 'millrace';
          export default new Pipeline({ id: 'p', onFailure: 'runAll' })
            .add(new Task({ id: 'no_sql_file', commands: [new ExecuteSQL({ sqlFile: 'missing.sql' })] }))
            .add(new Task({ id: 'no_database', commands: [new ExecuteSQL({ sql: 'select 1', db: 'dhw' })] }))
            .add(new Task({ id: 'no_data', commands: [new ExecuteSQL({ sql: 'create table t (a int)' }), new ReadFile({ file: 'missing.csv', table: 't', format: csv({ header: true }) })] }))
            .add(new Task({ id: 'no_script', commands: [new RunScript({ file: 'missing.py' })] }))
            .add(new Task({ id: 'no_program', commands: [new RunProcess({ command: 'no-such-program', args: [] })] }));`,
      });
      const { exitCode, stdout, stderr } = await project.run(['run', 'p', '--json']);
      assert.equal(exitCode, 1, stderr);
      const errorOf = (id: string): string | null | undefined =>
        attemptsOf(eventsOf(stdout), `p/${id}`)[0]?.error;
      const file = (name: string): string => join(project.path, name);
      assert.equal(
        errorOf('no_sql_file'),
        `Task "p/no_sql_file": there is no file ${file('missing.sql')} ("missing.sql" is relative to the base path of pipeline "p").`,
      );
      assert.equal(
        errorOf('no_database'),
        'There is no database "dhw". The project has: "dwh". Databases are named in millrace.config.ts.',
      );
      assert.equal(
        errorOf('no_data'),
        `Task "p/no_data": there is no file ${file(join('data', 'missing.csv'))} ("missing.csv" is relative to the dataDir of millrace.config.ts).`,
      );
      assert.equal(
        errorOf('no_script'),
        `Task "p/no_script": there is no file ${file('missing.py')} ("missing.py" is relative to the base path of pipeline "p").`,
      );
      assert.equal(
        errorOf('no_program'),
        'The program "no-such-program" was not found. Is it installed, and on the PATH?',
      );
    });

    it('mistakes in the options of nodes and commands', async () => {
      await using project = await testProject(
        Object.fromEntries(
          Object.entries({
            both: `new ExecuteSQL({ sql: 'a', sqlFile: 'b' })`,
            neither: `new ExecuteSQL({})`,
            unknown_option: `new RunBash({ comand: 'x' })`,
          }).map(([name, command]) => [
            `${name}.pipeline.ts`,
            `import { ExecuteSQL, Pipeline, RunBash, Task } from 'millrace';
export default new Pipeline({ id: '${name}' }).add(new Task({ id: 'a', commands: [${command}] }));`,
          ]),
        ),
      );
      const { exitCode, stdout, stderr } = await project.run(['list']);
      assert.equal(exitCode, 1);
      assert.equal(stdout, '');
      assert.deepEqual(
        stderr.split('\n').filter(line => line.startsWith('millrace: ')),
        [
          'millrace: both.pipeline.ts:2:80: error: ExecuteSQL has both sql and sqlFile ("b"). Give one of them.',
          'millrace: neither.pipeline.ts:2:83: error: ExecuteSQL has neither sql nor sqlFile. Give one of them.',
          'millrace: unknown_option.pipeline.ts:2:90: error: RunBash has an unknown option: "comand" (did you mean "command"?).',
        ],
      );
    });

    it('workers that cannot start', async () => {
      await using project = await testProject({
        'p.pipeline.ts': `
          import { Pipeline, RunBash, Task } from 'millrace';
          if (process.env['MILLRACE_WORKER'] === '1') process.exit(7);
          export default new Pipeline({ id: 'p' }).add(new Task({ id: 'a', commands: [new RunBash('true')] }));`,
      });
      const { exitCode, stdout, stderr } = await project.run(['run', 'p', '--json']);
      assert.equal(exitCode, 1);
      assert.equal(stderr, '');
      assert.equal(
        attemptsOf(eventsOf(stdout), 'p/a')[0]?.error,
        'p.pipeline.ts:3:63: error: process.exit(7) is called while the file is loaded. A pipeline file only describes ' +
          'what is to be done: take the call out, or move it into a command.\n' +
          "          if (process.env['MILLRACE_WORKER'] === '1') process.exit(7);\n" +
          '                                                              ^',
      );
    });

    it('workers that die while they start', async () => {
      await using project = await testProject({
        'p.pipeline.ts': `
          import { Pipeline, RunBash, Task } from 'millrace';
          if (process.env['MILLRACE_WORKER'] === '1') process.kill(process.pid, 'SIGKILL');
          export default new Pipeline({ id: 'p' }).add(new Task({ id: 'a', commands: [new RunBash('true')] }));`,
      });
      const { exitCode, stdout, stderr } = await project.run(['run', 'p', '--json']);
      assert.equal(exitCode, 1);
      const text =
        'No worker could be started: worker was killed by SIGKILL before it was ready, 3 times in a row.';
      assert.equal(stderr, '');
      assert.equal(attemptsOf(eventsOf(stdout), 'p/a')[0]?.error, text);
    });

    it('a home that cannot be written, when nothing is to be kept there', async () => {
      await using project = await testProject({ ...work, file: '' });
      // Below a file nobody can make anything, not even root.
      const home = join(project.path, 'file', 'home');
      const { exitCode, stdout, stderr } = await project.run(['run', 'p', '--no-store'], {
        env: { HOME: home, XDG_STATE_HOME: home, XDG_CACHE_HOME: home, MILLRACE_HOME: home },
      });
      assert.equal(exitCode, 0, stderr);
      assert.equal(stderr, '');
      assert.match(stdout, /p \/ a: ✓ succeeded/);
    });

    it('files that go on after they were loaded', async () => {
      await using project = await testProject({
        ...work,
        'q.pipeline.ts': `
          import { Pipeline } from 'millrace';
          setInterval(() => undefined, 1000);
          export default new Pipeline({ id: 'q' });`,
      });
      const list = await project.run(['list']);
      assert.equal(list.exitCode, 0);
      const run = await project.run(['run', 'p']);
      assert.equal(run.exitCode, 0);
    });
  });
});
