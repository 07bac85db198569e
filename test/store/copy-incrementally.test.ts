import assert from 'node:assert/strict';
import type { Database } from '../../runner/api/context.ts';
import { mysql, postgres, sqlite } from '../../runner/api/databases.ts';
import { CopyIncrementally, type CopyIncrementallyOptions } from '../../runner/commands/index.ts';
import { openDatabase, openPostgres } from '../../runner/databases/connect.ts';
import { PostgresSession } from '../../runner/databases/postgres.ts';
import { messageOf, type TestContext, testContext } from '../support/commands.ts';
import { type MariaDbServer, mariaDbServer } from '../support/mariadb.ts';
import { hasMariaDb } from '../support/programs.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';

const succeeded = 'nothing was thrown';

/** Ends a run at its n-th step: before or after a statement in the target or a call of the store takes effect. */
class Fault {
  steps = 0;
  readonly #at: number;

  constructor(at: number) {
    this.#at = at;
  }

  /** @param die ends the connection, as the end of the process would */
  async around<T>(work: () => Promise<T>, die: () => void): Promise<T> {
    this.#step(die);
    const result = await work();
    this.#step(die);
    return result;
  }

  #step(die: () => void): void {
    if (this.steps++ !== this.#at) return;
    die();
    throw new Error('killed');
  }
}

// Without the server there is nothing to compare with; `npm test` installs it where it may.
const suite = hasMariaDb() ? describe : describe.skip;

suite('CopyIncrementally', () => {
  let server: TestServer;
  let maria: MariaDbServer;
  let folder: TemporaryFolder;
  let stored: Map<string, string>;
  let sourceSession: PostgresSession | undefined;
  before(async function () {
    this.timeout(120_000);
    [server, maria, folder] = await Promise.all([testServer(), mariaDbServer(), temporaryFolder()]);
    await server.query('create database source');
  });
  after(async () => {
    await sourceSession?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await maria[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    stored = new Map();
    await source(`drop table if exists orders; create table orders (id int, v text, changed int)`);
    await server.query(
      'drop table if exists orders; create table orders (id int primary key, v text, changed int)',
    );
  });

  const definitions = {
    dwh: () => postgres({ ...server.config }),
    src: () => postgres({ ...server.config, database: 'source' }),
    shop: () => mysql(maria.options),
    files: () => sqlite({ file: 'orders.db' }),
  };

  /** One connection for the whole test file. */
  async function source(sql: string): Promise<void> {
    sourceSession ??= await openPostgres('src', definitions.src(), { resolveEmbedded });
    for (const statement of sql.split(';')) await sourceSession.query(statement);
  }

  async function run(
    options: Partial<CopyIncrementallyOptions> = {},
    fault?: Fault,
  ): Promise<{ readonly failure: string; readonly context: TestContext }> {
    const command = new CopyIncrementally({
      from: 'src',
      sourceTable: 'orders',
      modificationComparison: 'changed',
      comparisonValuePlaceholder: '@changed@',
      table: 'orders',
      primaryKeys: ['id'],
      sql: 'select id, v, changed from orders where @changed@',
      ...options,
    } as CopyIncrementallyOptions);
    const opened: (Database & AsyncDisposable)[] = [];
    const context = testContext(command, {
      basePath: folder.path,
      stored,
      async db(alias = 'dwh') {
        const definition = definitions[alias as keyof typeof definitions]();
        const session = await openDatabase(alias, definition, {
          resolveEmbedded,
          processes: context.processes,
          directory: folder.path,
        });
        opened.push(session);
        if (fault !== undefined && alias === 'dwh' && session instanceof PostgresSession)
          injectInto(session, fault);
        return session;
      },
    });
    if (fault !== undefined) {
      const die = (): void => {
        for (const session of opened) if (session instanceof PostgresSession) cut(session);
      };
      const { state } = context;
      Object.assign(context, {
        state: {
          ...state,
          copyWatermark: (key: string) => fault.around(() => state.copyWatermark(key), die),
          setCopyWatermark: (key: string, value: string) =>
            fault.around(() => state.setCopyWatermark(key, value), die),
          deleteCopyWatermark: (key: string) => fault.around(() => state.deleteCopyWatermark(key), die),
        },
      });
    }
    try {
      return { failure: await messageOf(() => command.run(context)), context };
    } finally {
      for (const session of opened) await session[Symbol.asyncDispose]();
    }
  }

  /** The target's rows, in order, and no table besides it. */
  async function target(): Promise<readonly string[]> {
    assert.deepEqual(await server.query(`select relname from pg_class where relname like '%upsert%'`), []);
    const rows = await server.query(
      `select id || ' ' || coalesce(v, 'null') || ' ' || changed as row from orders order by id, v`,
    );
    return rows.map(row => String(row['row']));
  }

  it('copies everything, then what has changed, the last value again', async () => {
    await source(`insert into orders values (1, 'a', 10), (2, null, 20)`);
    const first = await run();
    assert.deepEqual([first.failure, first.context.rows], [succeeded, 2]);
    assert.deepEqual(first.context.lines, [
      '> src: orders → orders',
      '> select (max(changed))::text as newest from orders',
      '> select id, v, changed from orders where (1=1)',
      'Copied everything: 2 rows.',
    ]);
    assert.deepEqual([...stored], [['src.orders', '20']]);
    await source(
      `insert into orders values (3, 'c', 20), (4, 'd', 30); update orders set v = 'b' where id = 2; delete from orders where id = 1`,
    );
    const second = await run();
    assert.deepEqual([second.failure, second.context.rows], [succeeded, 3]);
    assert.deepEqual(second.context.lines.slice(2), [
      `> select id, v, changed from orders where (changed >= '20')`,
      'Copied 3 rows from 20 on.',
    ]);
    assert.deepEqual(await target(), ['1 a 10', '2 b 20', '3 c 20', '4 d 30']);
    assert.deepEqual([...stored], [['src.orders', '30']]);
  });

  it('an empty source copies nothing', async () => {
    const { failure, context } = await run();
    assert.equal(failure, succeeded);
    assert.equal(context.lines.at(-1), 'There are no rows in orders: nothing to copy.');
    assert.deepEqual([...stored], []);
  });

  it('copies everything when the target is empty, or the watermark is gone', async () => {
    await source(`insert into orders values (1, 'a', 10)`);
    await run();
    await server.query('truncate orders');
    assert.equal((await run()).context.lines.at(-1), 'Copied everything: 1 rows.');
    assert.deepEqual(await target(), ['1 a 10']);
    stored.clear();
    await server.query(`insert into orders values (7, 'only here', 0)`);
    assert.equal((await run()).context.lines.at(-1), 'Copied everything: 1 rows.');
    assert.deepEqual(await target(), ['1 a 10']);
  });

  it('explicit upsert for a table without a unique index; columns that are keys only; generated columns', async () => {
    await server.query(
      'drop table orders; create table orders (id int, v text, changed int) partition by list (id)',
    );
    await server.query('create table orders_rest partition of orders default');
    await source(`insert into orders values (1, 'a', 10), (2, 'b', 20)`);
    await run({ useExplicitUpsert: true });
    await source(
      `update orders set v = 'B', changed = 30 where id = 2; insert into orders values (3, 'c', 30)`,
    );
    assert.equal((await run({ useExplicitUpsert: true })).failure, succeeded);
    assert.deepEqual(await target(), ['1 a 10', '2 B 30', '3 c 30']);
    await server.query(
      `drop table orders; create table orders (id int generated always as identity primary key, v text, changed int,
         twice int generated always as (changed * 2) stored)`,
    );
    stored.clear();
    for (const round of [1, 2]) {
      const { failure } = await run({ useExplicitUpsert: round === 2 });
      assert.equal(failure, succeeded);
    }
    await source(`insert into orders values (4, 'd', 40)`);
    assert.equal((await run()).failure, succeeded);
    assert.deepEqual(await target(), ['1 a 10', '2 B 30', '3 c 30', '4 d 40']);
  });

  it('a type for the comparison, and its value exactly', async () => {
    await source(`drop table orders; create table orders (id int, v text, changed timestamp)`);
    await server.query('alter table orders alter changed type timestamp using null');
    await source(
      `insert into orders values (1, 'a', '2024-02-29 12:34:56.789012'), (2, 'b', '2024-02-29 12:34:56.789013')`,
    );
    await run({ modificationComparisonType: 'timestamp' });
    const { context, failure } = await run({ modificationComparisonType: 'timestamp' });
    assert.equal(failure, succeeded);
    assert.equal(
      context.lines[2],
      `> select id, v, changed from orders where (changed >= timestamp '2024-02-29 12:34:56.789013')`,
    );
    assert.equal(context.rows, 1);
  });

  it('from MariaDB and from SQLite', async () => {
    const rows = `(1, 'it''s', 10), (2, null, 20)`;
    const later = `(3, 'c', 20), (4, 'd', 30)`;
    for (const alias of ['shop', 'files'] as const) {
      stored.clear();
      await server.query('truncate orders');
      const session = await openDatabase(alias, definitions[alias](), {
        resolveEmbedded,
        directory: folder.path,
      });
      assert('runScript' in session);
      const script = (sql: string) =>
        session.runScript({ sql, echo: false }, { output: () => undefined, error: () => undefined });
      await script(
        `create table orders (id int, v varchar(10), changed int); insert into orders values ${rows};`,
      );
      assert.equal((await run({ from: alias })).failure, succeeded);
      await script(
        `insert into orders values ${later}; update orders set v = 'b', changed = 25 where id = 2;`,
      );
      const { failure, context } = await run({ from: alias });
      assert.equal(failure, succeeded);
      assert.equal(context.rows, 3);
      assert.deepEqual(await target(), [`1 it's 10`, '2 b 25', '3 c 20', '4 d 30']);
    }
  });

  it('the placeholder must stand in the SQL', async () => {
    assert.equal(
      (await run({ sql: 'select * from orders' })).failure,
      'CopyIncrementally: the placeholder "@changed@" does not stand in sql, so everything would be copied each time. Write for example: where @changed@',
    );
  });

  it('a target that is no Postgres is refused', async () => {
    assert.equal(
      (await run({ to: 'shop' })).failure,
      'CopyIncrementally cannot use database "shop": it is of the type MySQL, and this works on PostgreSQL only.',
    );
  });

  describe('without keys, rows are only added', () => {
    it('each of them once', async () => {
      await server.query('alter table orders drop constraint orders_pkey');
      await source(`insert into orders values (1, 'a', 1), (2, 'b', 2), (3, 'no number', null)`);
      assert.equal((await run({ primaryKeys: [] })).failure, succeeded);
      await source(`insert into orders values (4, 'c', 3)`);
      const { context } = await run({ primaryKeys: [] });
      assert.equal(context.lines.at(-1), 'Added 1 rows after 2.');
      assert.equal((await run({ primaryKeys: [] })).context.rows, 0);
      assert.deepEqual(await server.query('select count(*)::int as n from orders'), [{ n: 4 }]);
      assert.deepEqual([...stored], [['src.orders', '3']]);
    });
  });

  describe('a run that ends at any step leaves the next one a state to go on from', () => {
    const modes: Readonly<Record<string, Partial<CopyIncrementallyOptions>>> = {
      'with keys': {},
      'explicit upsert': { useExplicitUpsert: true },
      'without keys': { primaryKeys: [] },
    };
    for (const [name, options] of Object.entries(modes)) {
      for (const phase of ['first', 'later', 'again'] as const) {
        it(`${name}, ${phase} copy`, async function () {
          this.timeout(120_000);
          const appends = options.primaryKeys?.length === 0;
          let finished = false;
          for (let at = 0; !finished; at++) {
            await source(`truncate orders; insert into orders values (1, 'a', 1), (2, 'b', 2)`);
            await server.query('truncate orders');
            stored.clear();
            if (phase !== 'first') await run(options);
            // The store has forgotten, and the table has not.
            if (phase === 'again') stored.clear();
            await source(
              appends
                ? `insert into orders values (3, 'c', 3), (4, 'd', 4)`
                : `insert into orders values (3, 'c', 3); update orders set v = 'B', changed = 4 where id = 2`,
            );
            const fault = new Fault(at);
            const broken = await run(options, fault);
            finished = fault.steps <= at;
            if (finished) assert.equal(broken.failure, succeeded);
            // More arrives before the next run.
            await source(`insert into orders values (5, 'e', 5)`);
            const next = await run(options);
            assert.equal(next.failure, succeeded, `after step ${at}`);
            const expected = appends
              ? ['1 a 1', '2 b 2', '3 c 3', '4 d 4', '5 e 5']
              : ['1 a 1', '2 B 4', '3 c 3', '5 e 5'];
            assert.deepEqual(await target(), expected, `after step ${at}`);
            assert.deepEqual([...stored], [['src.orders', '5']], `after step ${at}`);
            assert(at < 100);
          }
        });
      }
    }
  });
});

const resolveEmbedded = (): Promise<never> =>
  Promise.reject(new Error('there is no embedded server in this test'));

/** Puts the fault around everything that the session does. */
function injectInto(session: PostgresSession, fault: Fault): void {
  const die = (): void => {
    cut(session);
  };
  const { execute, query, copyFrom } = session;
  Object.assign(session, {
    execute: (...parameters: Parameters<PostgresSession['execute']>) =>
      fault.around(() => execute.apply(session, parameters), die),
    query: (...parameters: Parameters<PostgresSession['query']>) =>
      fault.around(() => query.apply(session, parameters), die),
    copyFrom: (...parameters: Parameters<PostgresSession['copyFrom']>) =>
      fault.around(() => copyFrom.apply(session, parameters), die),
  });
}

/** What the end of the process does to a connection. */
function cut(session: PostgresSession): void {
  const { client } = session as unknown as {
    readonly client: { readonly connection: { readonly stream: { destroy(): void } } };
  };
  client.connection.stream.destroy();
}
