import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { migrations } from '../../migrations/index.ts';
import { latestMigration, migrationNames } from '../../migrations/names.ts';
import { storeDatabaseConfig } from '../../runner/store/embedded/databases.ts';
import { statePaths } from '../../runner/store/embedded/paths.ts';
import { MIGRATION_LOCK, migrateDown } from '../../runner/store/migrate.ts';
import { temporaryStore, type TemporaryStore } from '../support/store.ts';

describe('migrations', function () {
  this.timeout(60_000);

  it('are numbered without gaps, and all are compiled in', () => {
    assert.deepEqual(Object.keys(migrations), [...migrationNames]);
    assert.equal(latestMigration, migrationNames.at(-1));
    migrationNames.forEach((name, index) => {
      assert.match(name, new RegExp(`^${String(index + 1).padStart(4, '0')}_[a-z0-9_]+$`));
    });
  });

  it('make the schema of the golden file, down to nothing and up again', async () => {
    await using project = await temporaryStore();
    const client = await project.store.connect();
    const file = join(import.meta.dirname, 'schema.sql.golden');
    // After a deliberate change: UPDATE_GOLDEN=1, and look at the difference.
    if (process.env['UPDATE_GOLDEN'] !== undefined) await writeFile(file, await describeSchema(client));
    const golden = await readFile(file, 'utf8');
    assert.equal(await describeSchema(client), golden);
    await migrateDown(client, config(project));
    assert.equal(await describeSchema(client), '');
    await using again = await project.open();
    assert.equal(await describeSchema(client), golden);
    assert.deepEqual(await (await again.db()).selectFrom('run').select('run_id').execute(), []);
    await client.end();
  });

  it('are run once when twenty open the store at the same time', async () => {
    await using project = await temporaryStore();
    const client = await project.store.connect();
    await migrateDown(client, config(project));
    const stores = await Promise.all(Array.from({ length: 20 }, () => project.open()));
    const { rows } = await client.query('select name from migration');
    assert.deepEqual(
      rows,
      migrationNames.map(name => ({ name })),
    );
    await Promise.all(stores.map(store => store.close()));
    await client.end();
  });

  it('are passed over, without waiting for their lock, by a store that is up to date', async () => {
    await using project = await temporaryStore();
    const client = await project.store.connect();
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await using again = await project.open();
    assert.equal(again.databaseName, project.store.databaseName);
    await client.end();
  });
});

function config(project: TemporaryStore): NonNullable<ReturnType<typeof storeDatabaseConfig>> {
  return storeDatabaseConfig(statePaths(project.home), project.store.databaseName) ?? assert.fail();
}

/** Tables, columns, constraints and indexes of the schema as text; kysely's own two tables left out. */
async function describeSchema(client: Client): Promise<string> {
  const { rows } = await client.query<{ line: string }>(`
    with tables as (
      select c.oid, c.relname
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'millrace' and c.relkind = 'r' and c.relname not in ('migration', 'migration_lock')
    ), lines as (
      select relname, 1 as part, attnum::int as number, '' as name,
             format('  %s %s%s%s%s', attname, format_type(atttypid, atttypmod),
                    case when attnotnull then ' not null' else '' end,
                    case attidentity when 'a' then ' generated always as identity' else '' end,
                    coalesce(' default ' || pg_get_expr(adbin, adrelid), '')) as line
        from tables t join pg_attribute a on a.attrelid = t.oid and attnum > 0 and not attisdropped
             left join pg_attrdef d on (adrelid, adnum) = (attrelid, attnum)
      union all
      select relname, 0, 0, '', 'table ' || relname from tables
      union all
      select relname, 2, 0, conname, format('  constraint %s %s', conname, pg_get_constraintdef(k.oid))
        from tables t join pg_constraint k on conrelid = t.oid and contype <> 'n'
      union all
      select relname, 3, 0, indexrelid::regclass::text, '  ' || pg_get_indexdef(indexrelid)
        from tables t join pg_index i on i.indrelid = t.oid
       where not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
    )
    select line from lines order by relname, part, number, name`);
  return rows.map(({ line }) => `${line}\n`).join('');
}
