import assert from 'node:assert/strict';
import { eventsOf, outcomesOf, testProject } from '../support/project.ts';

describe('SQL library in a project', () => {
  it('is added by one line, and used by the pipelines after it', async () => {
    await using project = await testProject({
      'shop.pipeline.ts': `
        import { chunks, ExecuteSQL, ParallelExecuteSQL, Pipeline, replaceSchema, schemaMisuseCheck, sqlLibrary, Task } from 'millrace';
        const shop = new Pipeline({ id: 'shop', labels: { Schema: 'shop' } });
        shop.addInitial(new Task({ id: 'start', commands: [schemaMisuseCheck(), new ExecuteSQL({ sqlFile: 'start.sql' })] }));
        shop.add(new ParallelExecuteSQL({ id: 'facts', parameters: chunks(3), placeholders: ['@chunk@'],
          sql: 'insert into shop_next.fact select n, @chunk@ from generate_series(1, 100) n where util.compute_chunk(n, 3) = @chunk@' }));
        shop.addFinal(new Task({ id: 'publish', commands: [replaceSchema({ schema: 'shop' })] }));
        export default new Pipeline({ id: 'all' }).add(sqlLibrary({ days: { from: '2026-01-01', to: '2026-12-31' } })).add(shop, ['sql_library']);`,
      'start.sql': `drop schema if exists shop_next cascade;
        create schema shop_next;
        create table shop_next.fact (n int, chunk int);
        select util.add_index('shop_next.fact', '{n}');`,
    });
    for (let time = 0; time < 2; time++) {
      const run = await project.run(['run', 'all', '--json']);
      assert.equal(run.exitCode, 0, run.stdout + run.stderr);
      assert.deepEqual(
        Object.entries(outcomesOf(eventsOf(run.stdout)))
          .filter(([path]) => path.startsWith('all/shop/facts/'))
          .map(([path]) => path.slice('all/shop/facts/'.length))
          .sort(),
        ['0', '1', '2'],
      );
    }
    const sql = async (text: string): Promise<string | undefined> =>
      (await project.run(['sql', 'dwh', '-c', text])).stdout.split('\n')[2]?.trim();
    assert.equal(await sql('select count(distinct n) from shop.fact'), '100');
    assert.equal(await sql('select count(*) from time.day'), '365');
    await project.write({ 'wrong.sql': 'select * from shop.fact' });
    const refused = await project.run(['run', 'all/shop/start']);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stdout + refused.stderr, /wrong\.sql:1: select \* from shop\.fact/);
  });
});
