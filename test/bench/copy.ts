/** D1: a million rows from one Postgres database to another, against `psql | psql`. */
import { join } from 'node:path';
import { testServer } from '../support/postgres.ts';
import { BenchProject, execute } from './contestants.ts';
import { compare, seconds } from './measure.ts';

const ROWS = 1_000_000;

const QUERY = 'select * from source';

/** A row of some 100 bytes, with what makes a copy work: text, numbers, times, NULL and what is escaped. */
const FILL = `create table source as
  select g as id, 'customer ' || g as name, (g::bigint * 7919 % 1000003)::numeric(12, 2) / 100 as amount,
    timestamptz '2024-01-01' + g * interval '1 second' as at, g % 3 = 0 as is_new,
    case when g % 5 = 0 then null else E'a note\\twith "quotes" and \\\\ ' || md5(g::text) end as note
  from generate_series(1, ${String(ROWS)}) g`;

/** Copies between two databases of a server of its own, which is stopped afterwards. */
export async function copyPostgres(folder: string): Promise<void> {
  await using server = await testServer();
  const { host, port, user, password, database } = server.config;
  await server.query(FILL);
  await server.query('create table target (like source)');
  const options = JSON.stringify({ host, port, user, password, database });
  const project = await BenchProject.create(
    folder,
    'd1',
    `import { Copy, ExecuteSQL, Pipeline, Task } from 'millrace';
const pipeline = new Pipeline({ id: 'd1' });
pipeline.add(new Task({ id: 'copy', commands: [new Copy({ from: 'source', to: 'target', table: 'target', sql: '${QUERY}' })] }));
export default pipeline;
`,
    `import { defineConfig, postgres } from 'millrace';
export default defineConfig({ databases: { source: postgres(${options}), target: postgres(${options}) }, defaultDatabase: 'target' });
`,
  );
  const env = {
    ...process.env,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
  };
  const pipe = `psql -Xqc "COPY (${QUERY}) TO STDOUT" | psql -Xqc "COPY target FROM STDIN"`;
  const emptied = async (work: () => Promise<number>): Promise<number> => {
    await server.query('truncate target');
    const taken = await work();
    const [row] = await server.query('select count(*)::int as n from target');
    if (row?.['n'] !== ROWS) throw new Error(`${String(row?.['n'])} rows arrived`);
    return taken;
  };
  await project.run(2);
  await compare({
    title: `D1: copy ${ROWS.toLocaleString('en')} rows, Postgres to Postgres`,
    contestants: {
      'psql … | psql …': () =>
        emptied(() => seconds(() => execute('bash', ['-c', pipe], join(folder, 'd1'), env))),
      'millrace, from the command to its end': () => emptied(() => project.run(2)),
    },
    rounds: 5,
    goal: '≤ 1.25 (0.8 of the throughput)',
  });
  // Looking at the memory takes time of its own.
  const { megabytes: memory } = await project.runWithMemory(2);
  console.log(`  runner and workers together: ${memory.toFixed(0)} MB`);
}
