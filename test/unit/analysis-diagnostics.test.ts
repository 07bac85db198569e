import assert from 'node:assert/strict';
import { analyzeProject } from '../../extension/analysis/analysis-project.ts';
import {
  type ExpectedDiagnostic,
  expectedDiagnostics,
  shownDiagnostics,
} from '../support/analysis-diagnostics.ts';
import { temporaryFolder } from '../support/temp.ts';

const head = "import { ExecuteSQL, Pipeline, RunBash, RunScript, Task } from 'millrace';\n";
const shop = "export const shop = new Pipeline({ id: 'shop' });\n";

const cases: readonly (readonly [string, string, readonly ExpectedDiagnostic[]])[] = [
  [
    'an invalid id',
    "shop.add(new Task({ id: 'Load Orders' }));",
    [
      {
        code: 'invalid-id',
        message:
          'Task has the invalid id "Load Orders": ids are made of lower-case letters, digits and "_". Use "load_orders", for example.',
        at: "'Load Orders'",
        suggestion: 'load_orders',
        fixes: [['Change to "load_orders"', "shop.add(new Task({ id: 'load_orders' }));"]],
      },
    ],
  ],
  [
    'a duplicate id, with both places',
    "shop.add(new Task({ id: 'a', description: 'first' }));\nshop.add(new Task({ id: 'a' }));",
    [
      {
        code: 'duplicate-id',
        message: 'Pipeline "shop" already has a node with the id "a". Give one of the two another id.',
        at: "'a'",
        related: [['"a" is here already', "'a'"]],
      },
    ],
  ],
  [
    'an unknown upstream, with the nearest id',
    "shop.add(new Task({ id: 'load_orders' }));\nshop.add(new Task({ id: 'clean' }), ['laod_orders']);",
    [
      {
        code: 'unknown-upstream',
        message:
          'Pipeline "shop" has no node "laod_orders" (wanted as an upstream of "clean"). Did you mean "load_orders"?',
        at: "'laod_orders'",
        suggestion: 'load_orders',
        fixes: [['Change to "load_orders"', "shop.add(new Task({ id: 'clean' }), ['load_orders']);"]],
      },
    ],
  ],
  [
    'a cycle, with every edge of it',
    "shop.add(new Task({ id: 'a' }));\nshop.add(new Task({ id: 'b' }), ['a']);\nshop.addDependency('b', 'a');",
    [
      {
        code: 'cycle',
        message:
          'Pipeline "shop": "a" cannot wait for "b", because that would close a cycle: b -> a -> b. Remove one of these dependencies.',
        at: "shop.addDependency('b', 'a')",
        related: [['"b" waits for "a"', "'a'"]],
      },
    ],
  ],
  [
    'a node that no pipeline has',
    "const lonely = new Task({ id: 'lonely' });",
    [
      {
        code: 'unused-node',
        message:
          'Task "lonely" is not part of any pipeline, so it never runs. Add it to a pipeline with add().',
        at: "new Task({ id: 'lonely' })",
        severity: 'warning',
      },
    ],
  ],
  [
    'an unknown option',
    "shop.add(new Task({ id: 'a', maxRetrys: 1 }));",
    [
      {
        code: 'unknown-option',
        message: 'Task "a" has an unknown option: "maxRetrys" (did you mean "maxRetries"?).',
        at: 'maxRetrys',
        suggestion: 'maxRetries',
        fixes: [['Change to "maxRetries"', "shop.add(new Task({ id: 'a', maxRetries: 1 }));"]],
      },
    ],
  ],
  [
    'both sql and sqlFile',
    "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sql: 'x', sqlFile: 'y.sql' })] }));",
    [
      {
        code: 'sql-source',
        message: 'ExecuteSQL has both sql and sqlFile ("y.sql"). Give one of them.',
        at: "new ExecuteSQL({ sql: 'x', sqlFile: 'y.sql' })",
      },
    ],
  ],
  [
    'neither sql nor sqlFile',
    "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({})] }));",
    [
      {
        code: 'sql-source',
        message: 'ExecuteSQL has neither sql nor sqlFile. Give one of them.',
        at: 'new ExecuteSQL({})',
      },
    ],
  ],
  [
    'an unknown database',
    "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sql: 'x', db: 'dwhs' })] }));",
    [
      {
        code: 'unknown-database',
        message:
          'There is no database "dwhs". Did you mean "dwh"? Databases are named in millrace.config.ts.',
        at: "'dwhs'",
        suggestion: 'dwh',
        fixes: [
          [
            'Change to "dwh"',
            "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sql: 'x', db: 'dwh' })] }));",
          ],
        ],
      },
    ],
  ],
  [
    'missing files',
    "shop.add(new Task({ id: 'a', commands: [new ExecuteSQL({ sqlFile: 'no.sql' }), new RunScript({ file: 'no.sh', fileDependencies: ['no.txt'] })] }));",
    ['no.sql', 'no.sh']
      .map(file => ({
        code: 'missing-file',
        message: `Task "shop/a": there is no file "${file}" in the project's directory, which its name is relative to.`,
        at: `'${file}'`,
      }))
      .concat({
        code: 'missing-file',
        message:
          'Task "shop/a": there is no file "no.txt" in the project\'s directory, which its name is relative to.',
        at: "['no.txt']",
      }),
  ],
  [
    'several mistakes at once, and what is right beside them',
    "shop.add(new Task({ id: 'b' }), ['nope']);\nshop.add(new Task({ id: 'A' }));\nnope();",
    [
      {
        code: 'unknown-upstream',
        message: 'Pipeline "shop" has no node "nope" (wanted as an upstream of "b"). It has: none.',
        at: "'nope'",
      },
      {
        code: 'invalid-id',
        message:
          'Task has the invalid id "A": ids are made of lower-case letters, digits and "_". Use "a", for example.',
        at: "'A'",
        suggestion: 'a',
        fixes: [['Change to "a"', "shop.add(new Task({ id: 'a' }));"]],
      },
      { code: 'load-error', message: 'ReferenceError: nope is not defined', at: 'nope' },
    ],
  ],
  [
    'a node that waits for itself',
    "shop.add(new Task({ id: 'a' }), ['a']);",
    [
      {
        code: 'cycle',
        message: 'Pipeline "shop": "a" cannot wait for itself.',
        at: "shop.add(new Task({ id: 'a' }), ['a'])",
      },
    ],
  ],
  [
    'several unknown options',
    "shop.add(new Task({ id: 'a', maxRetrys: 1, timeOut: 2, 'comands': [] }));",
    [
      {
        code: 'unknown-option',
        message:
          'Task "a" has unknown options: "maxRetrys" (did you mean "maxRetries"?), "timeOut" (did you mean "timeout"?), "comands" (did you mean "commands"?).',
        at: 'maxRetrys',
        suggestion: 'maxRetries',
        fixes: [
          [
            'Change to "maxRetries"',
            "shop.add(new Task({ id: 'a', maxRetries: 1, timeOut: 2, 'comands': [] }));",
          ],
          [
            'Change to "timeout"',
            "shop.add(new Task({ id: 'a', maxRetrys: 1, timeout: 2, 'comands': [] }));",
          ],
          [
            'Change to "commands"',
            "shop.add(new Task({ id: 'a', maxRetrys: 1, timeOut: 2, 'commands': [] }));",
          ],
        ],
      },
    ],
  ],
  [
    'a value that is not valid',
    "shop.add(new Task({ id: 'a', maxRetries: -1 }));\nshop.add(new Task({ id: 'b', commands: [new ExecuteSQL({ sql: 'x', echoQueries: 1 })] }));",
    [
      {
        code: 'pipeline-error',
        message: 'Task "a": maxRetries must be a whole number of at least 0, not -1.',
        at: '-1',
      },
      {
        code: 'pipeline-error',
        message: 'ExecuteSQL: echoQueries must be true or false, not 1.',
        at: '1',
      },
    ],
  ],
  [
    'a node that has a parent already',
    "const a = new Task({ id: 'a' });\nshop.add(a);\nexport const other = new Pipeline({ id: 'other' }).add(a);",
    [
      {
        code: 'pipeline-error',
        message:
          'Task "shop/a" cannot be added to pipeline "other" as well: a node has one parent. Remove it from there first, or make another node.',
        at: "new Pipeline({ id: 'other' }).add(a)",
      },
    ],
  ],
  [
    'imports that are not found',
    "import { a } from './no.ts';\nimport { b } from 'no-such-package';\nimport { c } from './steps.ts';\nshop.add(new Task({ id: `${a}${b}${c}` }));",
    [
      {
        code: 'missing-import',
        message: 'Cannot find "./no.ts", which is imported here.',
        at: "'./no.ts'",
      },
      {
        code: 'missing-import',
        message:
          'Cannot find the package "no-such-package". If its name is right, install it: npm install no-such-package',
        at: "'no-such-package'",
      },
      {
        code: 'missing-export',
        message:
          '"./steps.ts" exports no "c". If it is a type that is exported again, write export type { c } from \'./steps.ts\'.',
        at: 'c',
      },
    ],
  ],
  [
    'a file that is no TypeScript',
    "shop.add(new Task({ id: 'a' );",
    [{ code: 'syntax', message: "',' expected.", at: ')' }],
  ],
  [
    'something that Node refuses',
    'const x = 1;\nconst x = 2;',
    [{ code: 'syntax', message: "Identifier 'x' has already been declared", at: 'x' }],
  ],
  [
    'an error that the file throws itself',
    "if (shop.id === 'shop') throw new Error('not like this');",
    [{ code: 'load-error', message: 'not like this', at: "throw new Error('not like this');" }],
  ],
  [
    'a loop that does not end',
    'while (true) {}',
    [
      {
        code: 'not-evaluated',
        message:
          'The graph is not complete before it is loaded: it takes too many steps: probably a loop does not end.',
        at: 'true',
        severity: 'warning',
      },
    ],
  ],
  [
    'a function that calls itself for ever',
    'function f(): void { f(); }\nf();',
    [
      {
        code: 'not-evaluated',
        message:
          'The graph is not complete before it is loaded: calls are nested too deeply: probably a function calls itself for ever.',
        at: 'function f(): void { f(); }',
        severity: 'warning',
      },
    ],
  ],
];

describe('diagnostics of the static analysis', () => {
  for (const [name, code, expected] of cases) {
    it(name, async () => {
      await expectDiagnostics(
        { 'shop.pipeline.ts': `${head}${shop}${code}\n`, 'steps.ts': 'export const step = 1;\n' },
        expected,
      );
    });
  }

  it('a pipeline file without a pipeline', async () => {
    await expectDiagnostics({ 'shop.pipeline.ts': 'export const x = 1;\n' }, [
      {
        code: 'no-pipeline',
        message: 'The file exports no pipeline. Only what a file exports is found: export default pipeline;',
        at: 'export const x = 1;',
        severity: 'warning',
      },
    ]);
  });

  it('a function that returns no pipeline', async () => {
    await expectDiagnostics({ 'shop.pipeline.ts': 'export default () => 1;\n' }, [
      {
        code: 'no-pipeline',
        message: 'The file exports no pipeline, and the function that it exports by default returns none.',
        at: 'export default () => 1;',
        severity: 'warning',
      },
    ]);
  });

  it('two files that export a pipeline of the same id, with both places', async () => {
    const file = `${head}export const all = new Pipeline({ id: 'all' });\n`;
    await expectDiagnostics({ 'a.pipeline.ts': file, 'shop.pipeline.ts': file }, [
      {
        code: 'duplicate-id',
        message:
          'Both a.pipeline.ts and shop.pipeline.ts export a pipeline with the id "all". Only that of a.pipeline.ts is used: change one of the ids.',
        at: "new Pipeline({ id: 'all' })",
        related: [['"all" is here already', "new Pipeline({ id: 'all' })"]],
      },
    ]);
  });
});

async function expectDiagnostics(
  files: Readonly<Record<string, string>>,
  expected: readonly ExpectedDiagnostic[],
): Promise<void> {
  await using folder = await temporaryFolder(files);
  const { diagnostics } = analyzeProject({ directory: folder.path });
  assert.deepEqual(
    shownDiagnostics(folder.path, diagnostics),
    expectedDiagnostics(expected, 'shop.pipeline.ts'),
  );
}
