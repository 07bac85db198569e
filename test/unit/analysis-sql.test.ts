import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AnalysisProject } from '../../extension/analysis/analysis-project.ts';
import type { SqlAnalysis } from '../../extension/analysis/sql/sql-analysis.ts';
import {
  type ExpectedDiagnostic,
  expectedDiagnostics,
  shownDiagnostics,
} from '../support/analysis-diagnostics.ts';
import { temporaryFolder } from '../support/temp.ts';

const head =
  "import { Copy, ExecuteSQL, ParallelExecuteSQL, Pipeline, ReadFile, RunBash, Task, replaceSchema, schemaMisuseCheck, sqlLibrary, chunks, assertEqual, WriteFile } from 'millrace';\n" +
  "export const shop = new Pipeline({ id: 'shop' });\n";

/** A task that runs SQL. */
function task(id: string, sql: string, upstreams: readonly string[] = []): string {
  const others = upstreams.length === 0 ? '' : `, [${upstreams.map(name => `'${name}'`).join(', ')}]`;
  return `shop.add(new Task({ id: '${id}', commands: [new ExecuteSQL({ sql: \`${sql}\` })] })${others});`;
}

interface Case {
  readonly name: string;
  readonly code: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly expected: readonly ExpectedDiagnostic[];
}

const cases: readonly Case[] = [
  {
    name: 'a table of a task that is not waited for',
    code: `${task('load', 'create table raw.orders (id int)')}\n${task('clean', 'create table orders as\\n  select * from raw.orders')}`,
    expected: [
      {
        code: 'missing-dependency',
        severity: 'warning',
        message:
          'Task "shop/clean" reads raw.orders, which task "shop/load" makes, but does not wait for it: let "clean" wait for "load".',
        at: '`create table orders as\\n  select * from raw.orders`',
        related: [
          ['"shop/load" makes raw.orders', 'raw.orders'],
          [
            '"shop/clean" is made here',
            "new Task({ id: 'clean', commands: [new ExecuteSQL({ sql: `create table orders as\\n  select * from raw.orders` })] })",
          ],
        ],
        fixes: [
          [
            'Let "clean" wait for "load"',
            "shop.add(new Task({ id: 'clean', commands: [new ExecuteSQL({ sql: `create table orders as\\n  select * from raw.orders` })] }), ['load']);",
          ],
        ],
      },
    ],
  },
  {
    name: 'a table in an SQL file, written to, with upstreams that are there',
    code: `${task('load', 'create table raw.orders (id int)')}\nshop.add(new Task({ id: 'other' }));\nshop.add(new Task({ id: 'fill', commands: [new ExecuteSQL({ sqlFile: 'fill.sql' })] }), ['other']);`,
    files: { 'fill.sql': '-- ä\ninsert into\n  raw.orders\nselect 1;\n' },
    expected: [
      {
        code: 'missing-dependency',
        severity: 'warning',
        file: 'fill.sql',
        message:
          'Task "shop/fill" writes to raw.orders, which task "shop/load" makes, but does not wait for it: let "fill" wait for "load".',
        at: 'raw.orders',
        related: [
          ['"shop/load" makes raw.orders', 'raw.orders'],
          [
            '"shop/fill" is made here',
            "new Task({ id: 'fill', commands: [new ExecuteSQL({ sqlFile: 'fill.sql' })] })",
          ],
        ],
        fixes: [
          [
            'Let "fill" wait for "load"',
            "shop.add(new Task({ id: 'fill', commands: [new ExecuteSQL({ sqlFile: 'fill.sql' })] }), ['other', 'load']);",
          ],
        ],
      },
    ],
  },
  {
    name: 'a table of a task that is added later',
    code: `${task('report', 'select * from a')}\n${task('make', 'create table a (x int)')}`,
    expected: [
      {
        code: 'missing-dependency',
        severity: 'warning',
        message:
          'Task "shop/report" reads a, which task "shop/make" makes, but does not wait for it: let "report" wait for "make".',
        at: 'a',
        related: [
          ['"shop/make" makes a', 'a'],
          [
            '"shop/report" is made here',
            "new Task({ id: 'report', commands: [new ExecuteSQL({ sql: `select * from a` })] })",
          ],
        ],
        fixes: [
          [
            'Let "report" wait for "make"',
            `${task('make', 'create table a (x int)')}\nshop.addDependency('make', 'report');`,
          ],
        ],
      },
    ],
  },
  {
    name: 'a table of a task in another pipeline: the pipelines are what can wait',
    code: `const raw = new Pipeline({ id: 'raw' }).add(new Task({ id: 'load', commands: [new ExecuteSQL({ sql: 'create table raw.a (x int)' })] }));
const facts = new Pipeline({ id: 'facts' }).add(new Task({ id: 'fact', commands: [new ExecuteSQL({ sql: 'create view f as select * from raw.a' })] }));
shop.add(raw);
shop.add(facts);`,
    expected: [
      {
        code: 'missing-dependency',
        severity: 'warning',
        message:
          'Task "shop/facts/fact" reads raw.a, which task "shop/raw/load" makes, but does not wait for it: let "facts" wait for "raw".',
        at: 'raw.a',
        related: [
          ['"shop/raw/load" makes raw.a', 'raw.a'],
          [
            '"shop/facts/fact" is made here',
            "new Task({ id: 'fact', commands: [new ExecuteSQL({ sql: 'create view f as select * from raw.a' })] })",
          ],
        ],
        fixes: [['Let "facts" wait for "raw"', "shop.add(facts, ['raw']);"]],
      },
    ],
  },
  {
    name: 'a table that a command loads without SQL, and one that a function reads',
    code: `${task('tables', 'create table raw.a (x int); create function total() returns bigint language sql as $$ select sum(x) from raw.a $$')}
shop.add(new Task({ id: 'read', commands: [new ReadFile({ file: 'a.csv', table: 'raw.a' })] }));
${task('sum', 'select total()')}`,
    expected: [
      {
        code: 'missing-dependency',
        severity: 'warning',
        message:
          'Task "shop/read" writes to raw.a, which task "shop/tables" makes, but does not wait for it: let "read" wait for "tables".',
        at: "'raw.a'",
        related: [
          ['"shop/tables" makes raw.a', 'raw.a'],
          [
            '"shop/read" is made here',
            "new Task({ id: 'read', commands: [new ReadFile({ file: 'a.csv', table: 'raw.a' })] })",
          ],
        ],
        fixes: [
          [
            'Let "read" wait for "tables"',
            "shop.add(new Task({ id: 'read', commands: [new ReadFile({ file: 'a.csv', table: 'raw.a' })] }), ['tables']);",
          ],
        ],
      },
      {
        code: 'missing-dependency',
        severity: 'warning',
        message:
          'Task "shop/sum" reads raw.a, which task "shop/tables" makes, but does not wait for it: let "sum" wait for "tables".',
        at: 'total',
        related: [
          ['"shop/tables" makes raw.a', 'raw.a'],
          [
            '"shop/sum" is made here',
            "new Task({ id: 'sum', commands: [new ExecuteSQL({ sql: `select total()` })] })",
          ],
        ],
        fixes: [['Let "sum" wait for "tables"', task('sum', 'select total()', ['tables'])]],
      },
    ],
  },
  {
    name: 'tasks that need tables of each other',
    code: `${task('a', 'create table ta as select * from tb')}\n${task('b', 'create table tb as select * from tc')}\n${task('c', 'create table tc as select * from ta')}`,
    expected: [
      {
        code: 'table-cycle',
        severity: 'warning',
        message:
          'Tasks need each other\'s tables, so none of them can be the first: "shop/a" reads tb of "shop/b", "shop/c" reads ta of "shop/a", "shop/b" reads tc of "shop/c".',
        at: 'tb',
        related: [
          ['"shop/a" reads tb of "shop/b"', 'tb'],
          ['"shop/c" reads ta of "shop/a"', 'ta'],
          ['"shop/b" reads tc of "shop/c"', 'tc'],
        ],
      },
    ],
  },
  {
    name: 'SQL that Postgres cannot parse, in a file and in a text',
    code: "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sqlFile: 'a.sql' }), new ExecuteSQL({ sql: 'selec 1' })] }));",
    files: { 'a.sql': "select '😀 ä';\nselect *\nform orders;\nselect (1;\n" },
    expected: [
      {
        code: 'sql-syntax',
        file: 'a.sql',
        message: 'Postgres cannot parse this: syntax error at or near "form".',
        at: 'form',
      },
      {
        code: 'sql-syntax',
        file: 'a.sql',
        message: 'Postgres cannot parse this: syntax error at or near ";".',
        at: ';',
      },
      {
        code: 'sql-syntax',
        message: 'Postgres cannot parse this: syntax error at or near "selec".',
        at: 'selec',
      },
    ],
  },
  {
    name: 'a command of psql, and a string that does not end',
    code: "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sqlFile: 'a.sql' }), new ExecuteSQL({ sqlFile: 'b.sql' })] }));",
    files: { 'a.sql': 'select 1;\n\\i other.sql\n', 'b.sql': "select 'x;\n" },
    expected: [
      {
        code: 'sql-syntax',
        file: 'a.sql',
        message: '\\i is a command of psql, not SQL: give each file an ExecuteSQL of its own.',
        at: '\\i',
      },
      {
        code: 'sql-syntax',
        file: 'b.sql',
        message: "This string is never closed: add '.",
        at: "'",
      },
    ],
  },
  {
    name: 'a table that is named by the default of a parameter',
    code: `const p = new Pipeline({ id: 'p', params: { schema: 'raw', limit: 3 } });
shop.add(p);
p.add(new Task({ id: 'load', commands: [new ExecuteSQL({ sql: ({ params }) => \`create table \${params['schema']}.a (x int)\` })] }));
p.add(new Task({ id: 'read', commands: [new ExecuteSQL({ sql: 'select * from @schema@.a limit @limit@', replace: { '@schema@': ({ params }) => params['schema'], '@limit@': ({ params }) => params['limit'] } })] }));`,
    expected: [
      {
        code: 'missing-dependency',
        severity: 'warning',
        message:
          'Task "shop/p/read" reads raw.a, which task "shop/p/load" makes, but does not wait for it: let "read" wait for "load".',
        at: '@schema@.a',
        related: [
          ['"shop/p/load" makes raw.a', "({ params }) => `create table ${params['schema']}.a (x int)`"],
          [
            '"shop/p/read" is made here',
            "new Task({ id: 'read', commands: [new ExecuteSQL({ sql: 'select * from @schema@.a limit @limit@', replace: { '@schema@': ({ params }) => params['schema'], '@limit@': ({ params }) => params['limit'] } })] })",
          ],
        ],
        fixes: [
          [
            'Let "read" wait for "load"',
            "p.add(new Task({ id: 'read', commands: [new ExecuteSQL({ sql: 'select * from @schema@.a limit @limit@', replace: { '@schema@': ({ params }) => params['schema'], '@limit@': ({ params }) => params['limit'] } })] }), ['load']);",
          ],
        ],
      },
    ],
  },
  {
    name: 'a text to replace that does not occur, and a placeholder that nothing replaces',
    code: "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sqlFile: 'a.sql', replace: { '@day@': '1', '@month@': () => '2' } })] }));",
    files: { 'a.sql': "-- @comment@\nselect '@day@', 'a@b@c', @yaer@;\n" },
    expected: [
      {
        code: 'unreplaced-placeholder',
        severity: 'warning',
        file: 'a.sql',
        message: 'Nothing replaces @yaer@: give it in the option replace of the command.',
        at: '@yaer@',
      },
      {
        code: 'unused-replacement',
        severity: 'warning',
        message: '"@month@" does not occur in a.sql, so nothing is replaced.',
        at: "'@month@'",
      },
    ],
  },
  {
    name: 'a pipeline that reads the schema that it replaces in the end',
    code: `${task('build', 'create table shop_next.a as select 1; create table shop_next.b as select * from shop.a')}
shop.add(new Task({ id: 'publish', commands: [replaceSchema({ schema: 'shop' })] }), ['build']);
${task('after', 'select * from shop.a', ['publish'])}`,
    expected: [
      {
        code: 'own-schema',
        severity: 'warning',
        message:
          'Schema shop is replaced by shop_next later in this run, so shop.a is what an earlier run has left. Read shop_next.a instead.',
        at: 'shop.a',
        related: [
          [
            'shop is replaced here',
            "new Task({ id: 'publish', commands: [replaceSchema({ schema: 'shop' })] })",
          ],
        ],
        fixes: [
          [
            'Read shop_next.a',
            task(
              'build',
              'create table shop_next.a as select 1; create table shop_next.b as select * from shop_next.a',
            ),
          ],
        ],
      },
    ],
  },
  {
    name: 'a pipeline whose label names the schema that a check guards',
    code: `const own = new Pipeline({ id: 'own', labels: { Schema: 'x' } });
shop.add(own);
own.add(new Task({ id: 'check', commands: [schemaMisuseCheck()] }));
own.add(new Task({ id: 'read', commands: [new ExecuteSQL({ sql: 'select * from x.a' })] }));
${task('elsewhere', 'select * from x.a')}`,
    expected: [
      {
        code: 'own-schema',
        severity: 'warning',
        message:
          'Schema x is replaced by x_next later in this run, so x.a is what an earlier run has left. Read x_next.a instead.',
        at: 'x.a',
        related: [['x is replaced here', "new Task({ id: 'check', commands: [schemaMisuseCheck()] })"]],
        fixes: [
          [
            'Read x_next.a',
            "own.add(new Task({ id: 'read', commands: [new ExecuteSQL({ sql: 'select * from x_next.a' })] }));",
          ],
        ],
      },
    ],
  },
];

/** Programs with which nothing is wrong, or of which nothing is known. */
const silent: readonly (readonly [string, string])[] = [
  [
    'dependencies through others',
    [
      task('a', 'create table ta (x int)'),
      task('b', 'select 1', ['a']),
      task('c', 'select * from ta', ['b']),
    ].join('\n'),
  ],
  [
    'an initial task',
    `shop.addInitial(new Task({ id: 'i', commands: [new ExecuteSQL({ sql: 'create table ta (x int)' })] }));\n${task('b', 'select * from ta')}`,
  ],
  [
    'common table expressions and temporary tables',
    [
      task('a', 'create table x (i int)'),
      task('b', 'with x as (select 1) select * from x; create temp table y as select 1; select * from y', []),
      task('c', 'create table y (i int)'),
    ].join('\n'),
  ],
  [
    'a table that several tasks make, one of them before',
    [
      task('a', 'create table if not exists t (x int)'),
      task('b', 'create table if not exists t (x int)'),
      task('c', 'select * from t', ['b']),
    ].join('\n'),
  ],
  [
    'reading what the last run has left',
    [task('a', 'select * from t'), task('b', 'create table t (x int)', ['a'])].join('\n'),
  ],
  [
    'a search path',
    [task('a', 'set search_path to s; create table t (x int)'), task('b', 'select * from t')].join('\n'),
  ],
  [
    'a dynamic name',
    `shop.add(new ParallelExecuteSQL({ id: 'p', sql: 'create table f_@chunk@ as select @chunk@', parameters: chunks(2), placeholders: ['@chunk@'] }));\n${task('b', 'select * from f_0')}`,
  ],
  [
    'parameters whose names nobody knows',
    "shop.add(new ParallelExecuteSQL({ id: 'p', sql: 'select @a@ frm NAME', parameters: () => [{ '@a@': 1, NAME: 'x' }] }));",
  ],
  [
    'a value that is not known',
    "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sql: 'select 1 @what@ x', replace: { '@what@': () => String(Date.now()) } })] }));",
  ],
  [
    'a parameter without a default, or with one that is not known',
    `const p = new Pipeline({ id: 'p', params: { day: { type: 'date' }, size: 3 } });
    const q = new Pipeline({ id: 'q', params: { day: new Date().toISOString(), size: 3 } });
    for (const pipeline of [p, q]) {
      shop.add(pipeline);
      pipeline.add(new Task({ id: 'a', commands: [
        new ExecuteSQL({ sql: 'select 1 @day@ x @size@', replace: { '@day@': ({ params }) => params['day'], '@size@': ({ params: { size } }) => size } }),
        new ExecuteSQL({ sql: context => \`select 1 \${context.params['day']} x y z\` }),
        new ExecuteSQL({ sql: ({ params }) => { throw new Error(String(params)); } }),
        new ExecuteSQL({ sql: ({ params }) => params['day'].unknown.property }),
      ] }));
    }`,
  ],
  ['variables of psql', task('a', "select :'name', :name, 1::int")],
  [
    'another database',
    "shop.add(new Task({ id: 'a', commands: [new Copy({ from: 'mysql', table: 'a', sql: 'select `a` from b' })] }));",
  ],
  [
    'upstreams that are not known',
    `${task('a', 'create table t (x int)')}\nconst ids: string[] = process.env['IDS'] ? ['a'] : [];\nshop.add(new Task({ id: 'b', commands: [new ExecuteSQL({ sql: 'select * from t' })] }), ids);`,
  ],
  [
    'a shared list of replacements',
    "const run = (id: string, sql: string) => shop.add(new Task({ id, commands: [new ExecuteSQL({ sql, replace: { '@a@': 1, '@b@': 2 } })] }));\nrun('a', 'select @a@');\nrun('b', 'select @b@');",
  ],
  ['copied data', task('a', 'create table t (x int);\nCOPY t FROM STDIN;\n1\n\\\\.\nselect 1')],
  [
    'the SQL library',
    "shop.add(sqlLibrary());\nshop.add(new Task({ id: 'a', commands: [assertEqual({ description: 'x', sql: 'select count(*) from time.day', expected: 1 })] }), ['sql_library']);",
  ],
  [
    'names in another case',
    [task('a', 'create table Raw.T (x int)'), task('b', 'select * from "raw"."T"')].join('\n'),
  ],
];

async function analyze(
  files: Readonly<Record<string, string>>,
  check: (result: SqlAnalysis, directory: string) => void,
): Promise<void> {
  await using folder = await temporaryFolder({
    'millrace.config.ts': `import { defineConfig, embeddedPostgres, mysql } from 'millrace';
export default defineConfig({ databases: { dwh: embeddedPostgres(), mysql: mysql({ host: 'h', database: 'd', user: 'u' }) } });\n`,
    ...files,
  });
  const project = new AnalysisProject({ directory: folder.path });
  const { diagnostics } = project.analysis();
  assert.deepEqual(diagnostics, []);
  check(await project.sqlAnalysis(), folder.path);
}

describe('SQL in the static analysis', () => {
  for (const { name, code, files = {}, expected } of cases) {
    it(name, async () => {
      await analyze({ 'shop.pipeline.ts': `${head}${code}\n`, ...files }, ({ diagnostics }, directory) => {
        assert.deepEqual(
          shownDiagnostics(directory, diagnostics),
          expectedDiagnostics(expected, 'shop.pipeline.ts'),
        );
      });
    });
  }

  for (const [name, code] of silent) {
    it(`says nothing about ${name}`, async () => {
      await analyze({ 'shop.pipeline.ts': `${head}${code}\n` }, ({ diagnostics }, directory) => {
        assert.deepEqual(shownDiagnostics(directory, diagnostics), []);
      });
    });
  }

  it('tells the tables of every task', async () => {
    const sql =
      'insert into a.b select * from c, lateral (select * from d.e) x where exists (select from f); ' +
      'merge into g using h on true when matched then delete; update i set x = 1 from j; delete from k using l; ' +
      'truncate m; copy n to stdout; alter table o rename to p; alter table q set schema r; ' +
      'create materialized view s as select * from t; refresh materialized view u; drop table v; select * into w from x; ' +
      'do $$ begin insert into y select 1; perform count(*) from z; end $$;';
    await analyze({ 'shop.pipeline.ts': `${head}${task('all', sql)}\n` }, ({ tables }) => {
      assert.deepEqual(tables, [
        {
          path: ['shop', 'all'],
          reads: ['c', 'd.e', 'f', 'h', 'j', 'l', 'n', 't', 'x', 'z'],
          writes: ['a.b', 'g', 'i', 'k', 'm', 'u', 'y'],
          creates: ['p', 'r.q', 's', 'w'],
        },
      ]);
    });
  });

  it('follows what is typed in an SQL file', async () => {
    await analyze(
      {
        'a.sql': 'select 1;',
        'shop.pipeline.ts': `${head}shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sqlFile: 'a.sql' })] }));\n`,
      },
      ({ files }, directory) => {
        assert.deepEqual(files, [join(directory, 'a.sql')]);
      },
    );
    await using folder = await temporaryFolder({
      'a.sql': 'select 1;',
      'shop.pipeline.ts': `${head}shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sqlFile: 'a.sql' })] }));\n`,
    });
    const project = new AnalysisProject({ directory: folder.path });
    const codes = async (): Promise<string[]> =>
      (await project.sqlAnalysis()).diagnostics.map(({ code }) => code);
    assert.deepEqual(await codes(), []);
    project.update(join(folder.path, 'a.sql'), 'select 1 from;');
    assert.deepEqual(await codes(), ['sql-syntax']);
    project.update(join(folder.path, 'a.sql'), undefined);
    assert.deepEqual(await codes(), []);
  });

  for (const example of ['demo', 'repo-stats', 'python-project-stats', 'warehouse']) {
    it(`raises no false alarm about examples/${example}`, async function () {
      const directory = fileURLToPath(new URL(`../../examples/${example}`, import.meta.url));
      try {
        readFileSync(join(directory, 'package.json'));
      } catch {
        this.skip();
      }
      const project = new AnalysisProject({ directory });
      assert.deepEqual(project.analysis().diagnostics, []);
      assert.deepEqual((await project.sqlAnalysis()).diagnostics, []);
    });
  }
});
