import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { SourceLocation } from '../../runner/model.ts';
import { analyzeProject } from '../../extension/analysis/analysis-project.ts';
import { temporaryFolder } from '../support/temp.ts';

interface Expected {
  readonly code: string;
  readonly message: string;
  /** The text that is underlined. */
  readonly at: string;
  /** Message and text of related places. */
  readonly related?: readonly (readonly [string, string])[];
  readonly suggestion?: string;
  readonly severity?: 'warning';
}

const head = "import { ExecuteSQL, Pipeline, RunBash, RunScript, Task } from 'millrace';\n";
const shop = "export const shop = new Pipeline({ id: 'shop' });\n";

const cases: readonly (readonly [string, string, readonly Expected[]])[] = [
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
      },
      { code: 'load-error', message: 'ReferenceError: nope is not defined', at: 'nope' },
    ],
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
      await using folder = await temporaryFolder({ 'shop.pipeline.ts': `${head}${shop}${code}\n` });
      await expectDiagnostics(folder.path, `${head}${shop}${code}\n`, expected);
    });
  }

  it('a pipeline file without a pipeline', async () => {
    await using folder = await temporaryFolder({ 'shop.pipeline.ts': 'export const x = 1;\n' });
    await expectDiagnostics(folder.path, 'export const x = 1;\n', [
      {
        code: 'no-pipeline',
        message: 'The file exports no pipeline. Only what a file exports is found: export default pipeline;',
        at: 'export const x = 1;',
        severity: 'warning',
      },
    ]);
  });
});

async function expectDiagnostics(
  directory: string,
  text: string,
  expected: readonly Expected[],
): Promise<void> {
  const { diagnostics } = analyzeProject({ directory });
  const file = join(directory, 'shop.pipeline.ts');
  assert(diagnostics.every(({ location }) => location.file === file));
  assert.deepEqual(
    diagnostics.map(({ code, message, location, related, suggestion, severity }) => ({
      code,
      message,
      at: textAt(text, location),
      related: related.map(place => [place.message, textAt(text, place.location)]),
      suggestion,
      severity,
    })),
    expected.map(({ code, message, at, related = [], suggestion, severity = 'error' }) => ({
      code,
      message,
      at,
      related,
      suggestion,
      severity,
    })),
  );
  return Promise.resolve();
}

function textAt(
  text: string,
  { line, column = 1, endLine = line, endColumn = column }: SourceLocation,
): string {
  const lines = text.split('\n');
  const offset = (at: number, to: number): number =>
    lines.slice(0, at - 1).join('\n').length + (at > 1 ? 1 : 0) + to - 1;
  return text.slice(offset(line, column), offset(endLine, endColumn));
}
