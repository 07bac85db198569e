import assert from 'node:assert/strict';
import pg from 'pg';
import type { Command } from '../../runner/api/command.ts';
import { isTask } from '../../runner/api/node.ts';
import {
  chunks,
  replaceSchema,
  type ReplaceSchemaOptions,
  sqlLibrary,
  type SqlLibraryOptions,
} from '../../runner/commands/index.ts';
import { messageOf, testContext } from '../support/commands.ts';
import { attempts } from '../support/files-to-load.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { waitUntil } from '../support/wait.ts';

describe('SQL library', function () {
  this.timeout(60_000);
  let server: TestServer;
  before(async () => {
    server = await testServer();
    await make();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await server.query('create schema shop');
  });
  afterEach(async () => {
    await server.query('drop schema if exists shop cascade; drop schema if exists shop_next cascade');
  });

  async function execute(command: Command): Promise<readonly string[]> {
    await using databases = attempts(server)();
    const context = testContext(command, { basePath: '/', db: () => databases.db() });
    await command.run(context);
    return context.lines;
  }

  async function make(options?: SqlLibraryOptions): Promise<void> {
    for (const task of sqlLibrary(options).nodes.values()) {
      assert.ok(isTask(task));
      for (const command of task.commands ?? []) await execute(command);
    }
  }

  /** All values of all rows. */
  const values = async (sql: string): Promise<unknown[]> =>
    (await server.query(sql)).flatMap(row => Object.values(row));

  it('can be made again, and elsewhere', async () => {
    await make();
    await make({ schema: 'My Tools', timeSchema: false, chunks: 3 });
    assert.deepEqual(await values('select "My Tools".get_all_chunks()'), [0, 1, 2]);
    await server.query('drop schema "My Tools" cascade');
    assert.equal(
      await messageOf(() => sqlLibrary({ chunk: 7 } as object)),
      'sqlLibrary() has an unknown option: "chunk" (did you mean "chunks"?).',
    );
    assert.equal(
      await messageOf(() => sqlLibrary({ days: { from: 'today' } })),
      'sqlLibrary(): days.from must be a day like "2026-01-31", not "today".',
    );
  });

  it('adds indexes, keys and checks once', async () => {
    await server.query(`create table shop.customer (id int not null, "Name" text);
      create table shop.orders (id int not null, customer_fk int, amount int)`);
    for (let time = 0; time < 2; time++) {
      await server.query(`
        select util.add_pk('shop.customer', '{id}'), util.add_fk('shop.orders', 'shop.customer'),
          util.add_index('shop.customer', '{Name,id}'), util.add_index('shop.orders', '{amount}', predicate => 'amount > 3', is_unique => true),
          util.add_check('shop.orders', 'amount_is_positive', 'amount > 0'), util.add_indexes_on_all_fks('shop')`);
    }
    assert.deepEqual(
      await values(
        `select regexp_replace(indexdef, '^CREATE ', '') from pg_indexes where schemaname = 'shop' order by indexname`,
      ),
      [
        'INDEX "customer__Name__id" ON shop.customer USING btree ("Name", id)',
        'UNIQUE INDEX customer_pkey ON shop.customer USING btree (id)',
        'UNIQUE INDEX orders__amount__unique__9e927602 ON shop.orders USING btree (amount) WHERE (amount > 3)',
        'INDEX orders__customer_fk ON shop.orders USING btree (customer_fk)',
      ],
    );
    assert.deepEqual(
      await values(
        `select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'shop.orders'::regclass and contype <> 'n' order by conname`,
      ),
      ['CHECK ((amount > 0))', 'FOREIGN KEY (customer_fk) REFERENCES shop.customer(id)'],
    );
  });

  it('makes partitions', async () => {
    await server.query(`create table shop.by_value (v text) partition by list (v); create table shop.by_hash (v int) partition by hash (v);
      create table shop.by_chunk (chunk int) partition by list (chunk)`);
    for (let time = 0; time < 2; time++)
      await server.query(`select util.create_table_partitions('shop.by_value', '{de,fr}'), util.create_table_hash_partitions('shop.by_hash', 2),
        util.create_chunk_partitions('shop.by_chunk')`);
    assert.deepEqual(
      await values(
        `select relname::text from pg_class where relispartition and relname !~ 'chunk_[3-7]' order by 1`,
      ),
      ['by_chunk_0', 'by_chunk_1', 'by_chunk_2', 'by_hash_0', 'by_hash_1', 'by_value_de', 'by_value_fr'],
    );
  });

  it('divides work into chunks', async () => {
    assert.deepEqual(chunks(3)(), [[0], [1], [2]]);
    assert.equal(chunks()().length, (await values('select util.number_of_chunks()'))[0]);
    const [least, most, different, whole] = await values(
      `select min(c), max(c), count(distinct c)::int as different, count(c)::int as whole from (select util.compute_chunk(n - 500, 7) as c from generate_series(1, 1000) as n) as x`,
    );
    assert.deepEqual([least, most, different, whole], [0, 6, 7, 1000]);
    assert.deepEqual(
      await values(
        `select unnest(array[util.compute_chunk(-9223372036854775808, 7), util.compute_chunk('a', 7), util.compute_chunk('a'), util.compute_chunk(-1)])`,
      ),
      [6, 6, 1, 7],
    );
    assert.equal(
      await messageOf(() => chunks(0)),
      'chunks(): count must be a whole number of at least 1, not 0.',
    );
  });

  it('makes enums and adds to them', async () => {
    await server.query(`select util.create_enum('shop.status', '{new,"it''s paid"}')`);
    await server.query(`select util.create_enum('shop.status', '{new,shipped}')`);
    assert.deepEqual(await values(`select unnest(enum_range(null::shop.status))::text`), [
      'new',
      "it's paid",
      'shipped',
    ]);
  });

  it('knows days, durations and hours', async () => {
    assert.deepEqual(await server.query('select *, _date::text from time.day where day_id = 20270101'), [
      {
        day_id: 20270101,
        day_name: 'Fri, Jan 01 2027',
        year_id: 2027,
        iso_year_id: 2026,
        quarter_id: 20271,
        quarter_name: '2027 Q1',
        month_id: 202701,
        month_name: '2027 Jan',
        week_id: 202653,
        week_name: '2026 - CW 53',
        day_of_week_id: 5,
        day_of_week_name: 'Friday',
        day_of_month_id: 1,
        _date: '2027-01-01',
      },
    ]);
    assert.deepEqual(
      await values(
        `select hour_of_day_name from time.hour_of_day where hour_of_day_id in (0, 23) order by 1`,
      ),
      ['00:00 - 00:59', '23:00 - 23:59'],
    );
    assert.deepEqual(
      await values(
        'select days_name, weeks, four_weeks_name, months, years from time.duration where duration_id = 400',
      ),
      ['400 days', 57, '56-59 weeks', 13, 1],
    );
    assert.equal((await values(`select min(_date)::text from time.day`))[0], '2015-01-01');
  });

  describe('replaceSchema', () => {
    const replace = (options: Partial<ReplaceSchemaOptions> = {}): Promise<readonly string[]> =>
      execute(replaceSchema({ schema: 'shop', ...options }));
    const next = (version: number): Promise<unknown> =>
      server.query(`create schema shop_next; create table shop_next.a as select ${String(version)} as version from generate_series(1, 100);
        create table shop_next.b as table shop_next.a`);

    async function connect(): Promise<pg.Client & AsyncDisposable> {
      const client = new pg.Client(server.config);
      client.on('error', () => undefined);
      await client.connect();
      return Object.assign(client, {
        async [Symbol.asyncDispose]() {
          await client.end().catch(() => undefined);
        },
      });
    }

    it('puts a schema in the place of another one, or of none, with what roles may do', async () => {
      await server.query(`drop schema shop; drop role if exists reader`);
      await next(1);
      assert.deepEqual(await replace(), ['> shop_next → shop']);
      await server.query(
        `create role reader; grant usage on schema shop to reader; grant select on shop.a to reader; grant select on shop.b to public`,
      );
      await next(2);
      await replace();
      assert.deepEqual(await values('select distinct version from shop.a'), [2]);
      assert.deepEqual(
        await values(
          `select unnest(array[has_schema_privilege('reader', 'shop', 'usage'), has_table_privilege('reader', 'shop.a', 'select'), has_table_privilege('reader', 'shop.b', 'insert')])`,
        ),
        [true, true, false],
      );
      assert.deepEqual(await values(`select nspname::text from pg_namespace where nspname like 'shop%'`), [
        'shop',
      ]);
      assert.equal(
        await messageOf(() => replace()),
        'replaceSchema(): there is no schema shop_next, so it cannot replace shop.',
      );
      await server.query('drop owned by reader; drop role reader');
    });

    for (const cancelQueries of [true, false])
      it(`is not seen by readers that never rest, and ${cancelQueries ? 'may' : 'must not'} be stopped: always whole tables`, async () => {
        await server.query('drop schema shop');
        await next(0);
        await replace();
        let done = false;
        const seen = new Set<string>();
        const query = async (client: pg.Client, tables: string): Promise<void> => {
          const { rows } = await client.query<{ versions: string; n: string }>(
            `select string_agg(distinct version::text, ' ') as versions, count(*) as n from (${tables}) as x, (select pg_sleep(0.002)) as s`,
          );
          assert.equal(rows[0]?.n, '200');
          seen.add(rows[0].versions);
        };
        const reader = async (work: (client: pg.Client) => Promise<void>): Promise<void> => {
          await using readers = new AsyncDisposableStack();
          let client = readers.use(await connect());
          while (!done) {
            try {
              await work(client);
            } catch (error) {
              // Stopped, or chosen to end a deadlock.
              const state = error instanceof pg.DatabaseError ? error.code : '';
              if (
                !cancelQueries ||
                (state !== '57014' && state !== '40P01' && state !== '57P01' && state !== '')
              )
                throw error;
              if (error instanceof assert.AssertionError) throw error;
              client = readers.use(await connect());
            }
          }
        };
        const readers = [
          reader(client => query(client, 'select * from shop.b union all select * from shop.a')),
          reader(client => query(client, 'select * from shop.a union all select * from shop.b')),
          reader(async client => {
            await client.query('begin');
            await query(client, 'select * from shop.a union all select * from shop.a');
            await query(client, 'select * from shop.b union all select * from shop.b');
            await client.query('commit');
          }),
        ];
        const all = Promise.all(readers);
        all.catch(() => undefined);
        try {
          for (let version = 1; version <= 5; version++) {
            await next(version);
            await replace({ patience: 0.3, cancelQueries });
          }
        } finally {
          done = true;
          await all;
        }
        assert.ok(seen.size > 1);
        // Without stopping anybody, a query that began in the very moment may see some of each.
        if (cancelQueries)
          assert.deepEqual(
            [...seen].filter(versions => versions.includes(' ')),
            [],
          );
        await server.query(
          `do $$ declare s text; begin for s in select nspname from pg_namespace where nspname like 'shop_outgoing%' loop execute 'drop schema ' || s || ' cascade'; end loop; end $$`,
        );
      });

    it('stops queries, and transactions without one, when its patience is at an end', async () => {
      await server.query('create table shop.a (v int)');
      await next(1);
      await using idle = await connect();
      await idle.query('begin; select * from shop.a');
      await using busy = await connect();
      const query = messageOf(() =>
        busy.query('select pg_sleep(1000) from (select count(*) from shop.a) as x'),
      );
      await waitUntil(
        async () =>
          (
            await values(
              `select 1 from pg_stat_activity where query like 'select pg_sleep(1000)%' and wait_event = 'PgSleep'`,
            )
          ).length > 0,
      );
      await replace({ patience: 0 });
      assert.equal(await query, 'canceling statement due to user request');
      assert.deepEqual(await values('select distinct version from shop.a'), [1]);
      assert.deepEqual(await values(`select nspname::text from pg_namespace where nspname like 'shop%'`), [
        'shop',
      ]);
    });

    it('lets readers read on in the old schema when it must not stop them', async () => {
      await next(1);
      await replace();
      await next(2);
      await using reader = await connect();
      await reader.query('begin; declare c cursor for select version from shop.a; fetch c');
      assert.deepEqual(await replace({ patience: 0, cancelQueries: false }), [
        '> shop_next → shop',
        '!schema shop was in use, so the old one is kept as shop_outgoing until the next replacement',
      ]);
      assert.deepEqual(await values('select distinct version from shop.a'), [2]);
      assert.equal((await reader.query('fetch 99 from c')).rows.length, 99);
      await reader.query('commit');
      await next(3);
      await replace();
      assert.deepEqual(await values(`select nspname::text from pg_namespace where nspname like 'shop%'`), [
        'shop',
      ]);
    });

    it('is also a function', async () => {
      await next(3);
      await server.query(`select util.replace_schema('shop', 'shop_next')`);
      assert.deepEqual(await values('select distinct version from shop.b'), [3]);
    });

    it('shows what it would do', () => {
      const command = replaceSchema({ schema: 'shop', patience: 1.5 });
      assert.equal(
        command.shellCommand(),
        `millrace sql dwh -c 'SELECT util.replace_schema('\\''shop'\\'', '\\''shop_next'\\'', '\\''1.5 s'\\'', '\\''true'\\'')'`,
      );
      assert.deepEqual(command.spec(), { kind: 'ReplaceSchema', options: { schema: 'shop', patience: 1.5 } });
    });
  });
});
