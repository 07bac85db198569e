import assert from 'node:assert/strict';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { Task } from '../../runner/api/task.ts';
import { postgres } from '../../runner/api/databases.ts';
import { copySchema, type CopySchemaOptions, schemaMisuseCheck } from '../../runner/commands/index.ts';
import { balancedChunks } from '../../runner/commands/sql-library/copy-schema.ts';
import { openDatabase } from '../../runner/databases/connect.ts';
import { messageOf, testContext } from '../support/commands.ts';
import { type ParallelRun, runParallelTask } from '../support/expansion.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temp.ts';

describe('copySchema', function () {
  this.timeout(60_000);
  let server: TestServer;
  before(async () => {
    server = await testServer();
    await server.query('create database frontend');
    await server.query(`create schema "Shop"; set search_path = "Shop"`);
    await server.query(`
      set search_path = "Shop";
      create type status as enum ('new', 'it''s paid');
      create domain positive as int check (value > 0);
      create function twice(n int) returns int immutable language sql as 'select n * 2';
      create sequence numbers start 5;
      create table customer (id int generated always as identity primary key, name text collate "C" default 'nobody', double_id int generated always as (twice(id)) stored);
      create table orders (id int default nextval('numbers'), customer_fk int references customer, status status, amount positive, tags jsonb,
        constraint amount_is_small check (amount < 1000), unique (customer_fk, id)) with (fillfactor = 90);
      create index on orders (amount) where amount > 3;
      create table event (day_id int, data text) partition by list (day_id);
      create table event_1 partition of event for values in (1);
      create table event_2 partition of event for values in (2);
      create index on event (data);
      create view paid as select o.*, c.name from orders o join customer c on c.id = o.customer_fk;
      create view of_view as select count(*) as n from paid;
      create materialized view summary as select status, sum(amount) as amount from orders group by 1;
      create unique index on summary (status);
      create table "Odd ""name""" (" a" int);
      insert into customer (name) values ('ann'), (e'b\\\\o\\tb\\n'), (default);
      insert into orders (customer_fk, status, amount, tags) select 1 + n % 3, 'new', n, '{"a": "\\\\"}' from generate_series(1, 999) as n;
      insert into event select 1 + n % 2, n from generate_series(1, 100) as n;
      refresh materialized view summary;
      select setval('numbers', 5000)`);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  const database = (url: string, name: string): string => url.replace('/postgres?', `/${name}?`);

  async function run(
    options: Partial<CopySchemaOptions> = {},
    succeeded = new Set<string>(),
  ): Promise<ParallelRun> {
    const task = copySchema({ schema: 'Shop', from: 'dwh', to: 'frontend', ...options });
    new Pipeline({ id: 'work' }).add(task);
    const attempt = () => {
      const opened = new AsyncDisposableStack();
      const sessions = new Map<string, ReturnType<typeof openDatabase>>();
      return {
        async db(alias = 'dwh') {
          let session = sessions.get(alias);
          if (session === undefined) {
            const url = database(server.url, alias === 'dwh' ? 'postgres' : alias);
            session = openDatabase(alias, postgres({ url }), {
              resolveEmbedded: () => Promise.reject(new Error('none')),
            });
            sessions.set(alias, session);
            opened.use(await session);
          }
          return await session;
        },
        [Symbol.asyncDispose]: () => opened.disposeAsync(),
      };
    };
    return await runParallelTask(task, { attempt, parallel: 3, succeeded });
  }

  async function frontend(sql: string): Promise<unknown[]> {
    const session = await openDatabase('frontend', postgres({ url: database(server.url, 'frontend') }), {
      resolveEmbedded: () => Promise.reject(new Error('none')),
    });
    try {
      return (await session.query(sql)).rows.flatMap(row => Object.values(row));
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }

  it('copies everything, twice', async () => {
    for (let time = 0; time < 2; time++) {
      const { lines, pipeline } = await run();
      assert.equal(pipeline.nodes.size, 5);
      assert.deepEqual(
        lines
          .filter(line => line.includes(' rows'))
          .map(line => line.replace(/^.*?: /, ''))
          .sort(),
        [
          'Odd "name": 0 rows',
          'customer: 3 rows',
          'event_1: 50 rows',
          'event_2: 50 rows',
          'orders: 999 rows',
        ],
      );
      const definition = (schema: string): string => `
        select c.relname || ' ' || c.relkind::text || coalesce(' ' || pg_get_viewdef(c.oid), '') || coalesce(' ' || pg_get_indexdef(c.oid), '')
          || coalesce(' ' || array_to_string(c.reloptions, ','), '') as x from pg_class as c where relnamespace = '"${schema}"'::regnamespace and relkind <> 'c'
        union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = '"${schema}"'::regnamespace
        union all select attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || attidentity::text || attgenerated::text
          || coalesce(pg_get_expr(adbin, adrelid), '') || attcollation::regcollation::text
          from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum join pg_class as c on c.oid = attrelid
          where relnamespace = '"${schema}"'::regnamespace and attnum > 0 and relkind in ('r', 'p')
        union all select proname || prosrc from pg_proc where pronamespace = '"${schema}"'::regnamespace
        order by 1`;
      const source = (await server.query(definition('Shop'))).flatMap(row => Object.values(row));
      assert.deepEqual(await frontend(definition('Shop')), source);
      for (const table of ['customer', 'orders', 'event', 'summary', 'of_view'])
        assert.deepEqual(
          await frontend(`select md5(string_agg(t::text, '|' order by t::text)) from "Shop".${table} as t`),
          (
            await server.query(
              `select md5(string_agg(t::text, '|' order by t::text)) from "Shop".${table} as t`,
            )
          ).flatMap(row => Object.values(row)),
          table,
        );
      assert.deepEqual(
        await frontend(`insert into "Shop".customer (name) values ('new') returning id, double_id`),
        [4, 8],
      );
      assert.deepEqual(await frontend(`select nextval('"Shop".numbers')::int`), [5001]);
      assert.deepEqual(await frontend(`select nspname::text from pg_namespace where nspname like 'Shop%'`), [
        'Shop',
      ]);
    }
  });

  it('copies under another name', async () => {
    await run({ targetSchema: 'shop_2' });
    assert.deepEqual(await frontend(`select n::int from shop_2.of_view`), [999]);
    assert.equal(
      await messageOf(() => run({ to: 'dwh' })),
      'copySchema(): from and to are the same database, "dwh".',
    );
  });

  it('goes on where it was killed', async () => {
    // The chunks are done, and nobody was told.
    await frontend('drop schema if exists "Shop" cascade');
    const first = await run();
    const ids = [...first.pipeline.nodes.keys()];
    await frontend('alter schema "Shop" rename to "Shop_next"');
    await frontend(
      'drop view "Shop_next".of_view, "Shop_next".paid; drop materialized view "Shop_next".summary'.split(
        ';',
      )[0] ?? '',
    );
    await frontend('drop materialized view "Shop_next".summary');
    await frontend('alter table "Shop_next".orders drop constraint orders_customer_fk_fkey');
    await frontend('drop index "Shop_next".event_data_idx');
    const { lines } = await run({}, new Set(['create']));
    assert.deepEqual(ids.length, 5);
    assert.equal(lines.filter(line => line.includes('is copied already')).length, 4);
    assert.deepEqual(await frontend(`select n::int from "Shop".of_view`), [999]);
  });

  it('says when there is no such schema, and what is missing', async () => {
    assert.equal(
      await messageOf(() => run({ schema: 'none' })),
      'Parallel task "work/copy_none": there is no schema none in database "dwh".',
    );
    assert.equal(
      await messageOf(() => copySchema({ schema: 'x' } as CopySchemaOptions)),
      'copySchema(): from is missing.',
    );
    assert.equal(
      await messageOf(() => copySchema({ schema: 'x', from: 'a', too: 'b' } as CopySchemaOptions)),
      'copySchema() has an unknown option: "too" (did you mean "to"?).',
    );
  });

  it('balances chunks', () => {
    const sizes = (count: number, ...items: number[]): number[][] =>
      balancedChunks(
        items.map(size => ({ size })),
        count,
      ).map(chunk => chunk.map(({ size }) => size));
    assert.deepEqual(sizes(2, 1, 5, 3, 3), [
      [5, 1],
      [3, 3],
    ]);
    assert.deepEqual(sizes(4, 2), [[2]]);
    assert.deepEqual(sizes(2, 0, 0, 0), [[0, 0], [0]]);
    assert.deepEqual(sizes(2), []);
  });
});

describe('schemaMisuseCheck', () => {
  it('lists the places that read what the pipeline publishes', async () => {
    await using folder = await temporaryFolder({
      'a.sql': `-- shop.a is made anew\ncreate table shop_next.a as select * from shop_tmp.x, myshop.y, 'shop.z';\n/* shop.\n*/\nselect 1 from Shop . b\n  join "shop".c using (id);`,
      'x/b.sql': 'select * from a.shop.b',
    });
    const command = schemaMisuseCheck();
    const task = new Task({ id: 'check', commands: [command] });
    new Pipeline({ id: 'shop', basePath: folder.path, labels: { Schema: 'shop' } }).add(task);
    assert.equal(
      await messageOf(() => command.run(testContext(command, { basePath: folder.path }))),
      `The pipeline reads schema shop, which it replaces in the end, so what it reads is of an earlier run. Read shop_next instead:
a.sql:5: select 1 from Shop . b
a.sql:6: join "shop".c using (id);`,
    );
    await folder.write({ 'a.sql': 'select 1 from shop_next.a' });
    const context = testContext(command, { basePath: folder.path });
    await command.run(context);
    assert.deepEqual(context.lines, ['2 SQL files, none of which uses schema shop']);
    const without = schemaMisuseCheck();
    assert.equal(
      await messageOf(() => without.run(testContext(without, { basePath: folder.path }))),
      'schemaMisuseCheck(): give schema, or the pipeline the label Schema: labels: { Schema: "shop" }.',
    );
  });
});
