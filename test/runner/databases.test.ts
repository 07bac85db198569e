import assert from 'node:assert/strict';
import { type MariaDbServer, mariaDbServer } from '../support/mariadb.ts';
import { hasMariaDb } from '../support/programs.ts';
import { testServer, type TestServer } from '../support/postgres.ts';
import { canListProcesses, ProcessMark } from '../support/processes.ts';
import { eventsOf, linesOf, outcomesOf, testProject } from '../support/project.ts';

// Without the server there is nothing to compare with; `npm test` installs it where it may.
const suite = hasMariaDb() ? describe : describe.skip;

suite('databases in a run', () => {
  let maria: MariaDbServer;
  let server: TestServer;
  before(async function () {
    this.timeout(120_000);
    [maria, server] = await Promise.all([mariaDbServer(), testServer()]);
  });
  after(async () => {
    await maria[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const config = (): string => `
    import { defineConfig, mysql, postgres, sqlite } from 'millrace';
    const dwh = ${JSON.stringify(server.config)};
    export default defineConfig({
      databases: {
        dwh: postgres(dwh), tool: postgres({ ...dwh, client: 'psql' }), shop: mysql(${JSON.stringify(maria.options)}),
        files: sqlite({ file: 'data/files.db' }),
      },
    });`;

  it('copies, and shows no password anywhere, even when a command prints it', async () => {
    await maria.execute(
      `create table shop.orders (id int, note text); insert into shop.orders values (1, null), (2, 'ü')`,
    );
    await using project = await testProject({
      'millrace.config.ts': config(),
      'shop.pipeline.ts': `
        import { Copy, ExecuteSQL, Pipeline, ReadSQLite, RunBash, Task } from 'millrace';
        const secret = ${JSON.stringify(maria.options.password)};
        export default new Pipeline({ id: 'shop', onFailure: 'runAll' })
          .add(new Task({ id: 'tables', commands: [
            new ExecuteSQL({ sql: 'create table orders (id int, note text)' }),
            new ExecuteSQL({ db: 'tool', sql: 'create table products (id int)' }),
            new ExecuteSQL({ db: 'files', sql: 'create table p (id int); insert into p values (7);' }),
          ] }))
          .add(new Task({ id: 'orders', commands: [new Copy({ from: 'shop', table: 'orders', sql: 'select * from orders' })] }), ['tables'])
          .add(new Task({ id: 'products', commands: [new ReadSQLite({ file: 'files.db', table: 'products', sql: 'select * from p' })] }), ['tables'])
          .add(new Task({ id: 'leak', commands: [
            new RunBash('cat shop.secret'),
            new ExecuteSQL({ db: 'shop', sql: 'select ' + "'" + secret.replaceAll("'", "''") + "'" }),
          ] }))
          .add(new Task({ id: 'wrong', commands: [
            new ExecuteSQL({ db: 'shop', sql: 'select nope_' + JSON.stringify(secret) }),
          ] }));`,
      'shop.secret': maria.options.password,
      'data/.keep': '',
    });
    const { exitCode, stdout, stderr } = await project.run(['run', 'shop', '--json', '--parallel', '2']);
    const events = eventsOf(stdout);
    assert.deepEqual(outcomesOf(events), {
      shop: 'failed',
      'shop/leak': 'succeeded',
      'shop/orders': 'succeeded',
      'shop/products': 'succeeded',
      'shop/tables': 'succeeded',
      'shop/wrong': 'failed',
    });
    assert.equal(exitCode, 1);
    assert.deepEqual(linesOf(events, 'shop/orders').at(-1), 'COPY 2');
    assert(linesOf(events, 'shop/leak').includes('***'));
    assert.deepEqual(await server.query('select * from orders order by id'), [
      { id: 1, note: null },
      { id: 2, note: 'ü' },
    ]);
    assert.deepEqual(await server.query('select * from products'), [{ id: 7 }]);
    const stored = await project.query<{ line: string }>(
      `select node_output::text as line from node_output union all select node_run::text from node_run union all select run::text from run`,
    );
    for (const secret of [maria.options.password, server.config.password]) {
      for (const text of [stdout, stderr, ...stored.map(({ line }) => line)])
        assert(!text.includes(secret), text);
    }
    const shown = await project.run(['sql', 'shop', '-c', 'select id from orders order by id']);
    assert.deepEqual([shown.exitCode, shown.stdout.split('\n').includes('|    2 |')], [0, true]);
    const failed = await project.run(['sql', 'shop', '-c', 'select nope']);
    assert.equal(failed.exitCode, 1);
    assert(
      failed.stderr.endsWith("ERROR 1054 (42S22) at line 1: Unknown column 'nope' in 'SELECT'\n"),
      failed.stderr,
    );
  });

  it('a cancelled run ends the client and its statement', async () => {
    await using project = await testProject({
      'millrace.config.ts': config(),
      'slow.pipeline.ts': `
        import { ExecuteSQL, Pipeline, Task } from 'millrace';
        export default new Pipeline({ id: 'slow' })
          .add(new Task({ id: 'sleep', commands: [new ExecuteSQL({ db: 'shop', sql: 'select sleep(1000)' })] }));`,
    });
    const mark = new ProcessMark();
    await using run = await project.start(['run', 'slow'], { ownGroup: true, env: mark.env });
    const sleeping = async (): Promise<boolean> =>
      (
        await maria.execute(
          `select count(*) from information_schema.processlist where info = 'select sleep(1000)'`,
        )
      ).trim() === '1';
    await run.until(sleeping);
    const clients = (): number =>
      mark.running().filter(({ command }) => command.includes('mariadb --')).length;
    if (canListProcesses) assert.equal(clients(), 1);
    run.signal('SIGINT');
    assert.equal((await run.end).exitCode, 130);
    if (canListProcesses) assert.equal(clients(), 0);
  });

  it('kill -9 in the middle of CopyIncrementally, again and again: the table is right in the end', async function () {
    if (!canListProcesses) this.skip();
    this.timeout(240_000);
    await using project = await testProject({
      'millrace.config.ts': config(),
      'inc.pipeline.ts': `
        import { CopyIncrementally, Pipeline, Task } from 'millrace';
        export default new Pipeline({ id: 'inc' }).add(new Task({ id: 'copy', commands: [new CopyIncrementally({
          from: 'tool', sourceTable: 'src', modificationComparison: 'changed', comparisonValuePlaceholder: '@c@',
          sql: 'select id, v, changed from src where @c@', table: 'dst', primaryKeys: ['id'],
        })] }));`,
    });
    await server.query('create table src (id int, v text, changed int)');
    await server.query('create table dst (id int primary key, v text, changed int)');
    const mark = new ProcessMark();
    for (let round = 1; round <= 6; round++) {
      await server.query(
        `insert into src select g, 'new', ${round} from generate_series(${round} * 1000, ${round} * 1000 + 999) g`,
      );
      await server.query(`update src set v = 'changed ${round}', changed = ${round} where id % 7 = ${round}`);
      await using run = await project.start(['run', 'inc', '--json'], { env: mark.env });
      // Later and later: with every round one event more.
      await run.until(() => countLines(run.output().stdout) >= round);
      run.signal('SIGKILL');
      await run.end;
    }
    // The next run finds out by itself; the test only has to leave nothing behind.
    await mark.untilGone();
    const { exitCode, stdout, stderr } = await project.run(['run', 'inc']);
    assert.equal(exitCode, 0, stdout + stderr);
    const rows = (table: string) => server.query(`select * from ${table} order by id`);
    assert.deepEqual(await rows('dst'), await rows('src'));
  });
});

const countLines = (text: string): number => text.split('\n').length - 1;

describe('the sessions of tasks', () => {
  it("say in the server's list which task of which run they belong to", async () => {
    const long = 'a_task_whose_name_alone_is_longer_than_what_postgres_keeps_of_it';
    await using project = await testProject({
      'names.pipeline.ts': `
        import { ExecuteSQL, Pipeline, Task } from 'millrace';
        const name = () => [new ExecuteSQL({ sql: "select current_setting('application_name') as name", echoQueries: false })];
        export default new Pipeline({ id: 'names' })
          .add(new Task({ id: 'short', commands: name() }))
          .add(new Task({ id: '${long}', commands: name() }));`,
    });
    const { stdout } = await project.run(['run', 'names', '--json']);
    const events = eventsOf(stdout);
    const nameSeenBy = (path: string): string | undefined =>
      linesOf(events, path).find(line => line.includes('millrace '));
    assert.equal(nameSeenBy('names/short'), ' millrace 1 names/short');
    assert.equal(
      nameSeenBy(`names/${long}`),
      ' millrace 1 ...me_alone_is_longer_than_what_postgres_keeps_of_it',
    );
  });
});
