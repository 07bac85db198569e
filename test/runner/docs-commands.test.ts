/** The examples and the tables of options on the page docs/commands.md. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { Command } from '../../runner/api/command.ts';
import * as api from '../../runner/api/index.ts';
import { ParallelTask, parallelTaskOptionKeys } from '../../runner/api/parallel-task.ts';
import { messageOf } from '../support/commands.ts';
import { isInstalled } from '../support/programs.ts';
import { eventsOf, outcomesOf, testProject, type TestProject } from '../support/project.ts';
import { resources } from '../support/store.ts';

const run = promisify(execFile);

interface Section {
  readonly name: string;
  /** Options that a table lists. */
  readonly options: readonly string[];
  /** Code to run. */
  readonly examples: readonly string[];
}

/** What a section says elsewhere: "options as of …". */
const inherited: Readonly<Record<string, readonly string[]>> = {
  assertNotEqual: ['assertEqual'],
  assertSmallerThanOrEqual: ['assertEqual'],
  assertBiggerThanOrEqual: ['assertEqual'],
  assertAlmostEqual: ['assertEqual'],
  ParallelReadFile: ['ReadFile'],
  ParallelReadSQLite: ['ReadSQLite'],
  ParallelExecuteSQL: ['ExecuteSQL'],
};

const withoutOptions = ['jsonl', 'parquet'];

type Made = (options: object) => unknown;

/** Everything that the page has to have a section for. */
function documented(): ReadonlyMap<string, Made> {
  const found = new Map<string, Made>();
  for (const [name, value] of Object.entries<unknown>(api)) {
    // What children of parallel tasks of one's own are made of is told in the documentation of that.
    if (typeof value !== 'function' || name === 'ChildCommand') continue;
    const prototype: unknown = value.prototype;
    if (prototype instanceof Command || prototype instanceof ParallelTask) {
      found.set(name, options => new (value as new (options: object) => unknown)(options));
    } else if (name.startsWith('assert') || ['csv', 'jsonl', 'parquet'].includes(name)) {
      found.set(name, value as Made);
    }
  }
  return found;
}

/** Files that the examples work on. */
const files: Readonly<Record<string, string | Uint8Array>> = {
  'millrace.config.ts': `import { defineConfig, embeddedPostgres } from 'millrace';
    export default defineConfig({ systemStatisticsInterval: 0,
      databases: { dwh: embeddedPostgres(), shop: embeddedPostgres({ schema: 'shop' }) } });`,
  'create_tables.sql': `
    create schema @schema@;
    create table @schema@.events (id int, at timestamptz);
    create table @schema@.orders (id int, amount numeric, modified_at timestamp);
    create table @schema@.orders_so_far (like @schema@.orders, primary key (id));
    create table @schema@.products (id int, name text);
    create table @schema@.rates (currency text, rate numeric);
    create table @schema@.days (day date, value int);
    create table @schema@.counts (kind text, count bigint);
    create table @schema@.report (name text, value int);
    create table @schema@.measures (id bigint, value numeric, tags text[]);`,
  'create_shop.sql': `
    create schema shop;
    create table shop.orders as
      select id, id * 10.0 as amount, timestamp '2026-01-01' as modified_at from generate_series(1, 2) id;`,
  'clean_up.py': 'import sys\nprint(sys.argv[1:])\n',
  'fetch_rates.py': 'import json, sys\nprint(json.dumps({"currency": sys.argv[1], "rate": 1.1}))\n',
  'data/events.csv.gz': gzipSync('id,at\n1,2026-01-31 12:00\n2,2026-01-31 13:00\n2,2026-01-31 13:00\n'),
  'data/events.jsonl': '{"id": 3, "at": "2026-02-01"}\n',
  'data/days/2026-01-30.csv': '2026-01-30,1\n',
  'data/days/2026-01-31.csv': '2026-01-31,2\n',
  'data/report.txt': 'name;value\na;1\nb;-\ntotal;1\n',
  'data/measures.parquet': new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'id', data: [1n, 2n], type: 'INT64' },
        { name: 'value', data: [0.5, null], type: 'DOUBLE' },
      ],
    }),
  ),
};

function examplesIn(text: string): string[] {
  return [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code.trim());
}

const hasSqlite = isInstalled('sqlite3');

/** Set up first, so that the examples can use it. */
const order = ['ExecuteSQL', 'ReadFile', 'Copy', 'ReadSQLite'];

describe('docs/commands.md', () => {
  let sections: readonly Section[];
  /** What stands before the first section. */
  let general: readonly string[];
  before(async () => {
    const page = await readFile(join(resources, 'docs', 'commands.md'), 'utf8');
    const [first = '', ...others] = page.split(/^### /m);
    general = examplesIn(first);
    sections = others.map(text => ({
      name: text.slice(0, text.indexOf('\n')).trim(),
      options: [...text.matchAll(/^\| `(\w+)` +\|/gm)].map(([, option = '']) => option),
      examples: examplesIn(text),
    }));
  });

  const optionsOf = (name: string): readonly string[] =>
    sections.find(section => section.name === name)?.options ?? [];

  it('has a section with an example for everything', () => {
    const names = [...documented().keys(), 'ParallelTask'].sort();
    assert.deepEqual(sections.map(({ name }) => name).sort(), names);
    assert.equal(general.length, 1);
    for (const { name, examples } of sections)
      assert.equal(examples.length, name === 'ParallelTask' ? 0 : 1, name);
  });

  it('lists the options that there are', async () => {
    assert.deepEqual(
      [...parallelTaskOptionKeys].sort(),
      [...optionsOf('ParallelTask'), 'id', 'description', 'labels'].sort(),
    );
    for (const [name, make] of documented()) {
      if (withoutOptions.includes(name)) continue;
      const message = await messageOf(() => make({ id: 'x', '?': 1 }));
      const takes = /It takes: (.*)\.$/.exec(message)?.[1]?.split(', ') ?? [];
      assert.ok(takes.length > 0, `${name}: ${message}`);
      const isParallel = takes.includes('commandsBefore');
      const expected = takes.filter(option => !isParallel || !parallelTaskOptionKeys.has(option)).sort();
      const listed = [...optionsOf(name), ...(inherited[name] ?? []).flatMap(optionsOf)].filter(
        option => !(isParallel && option === 'file' && name.startsWith('ParallelRead')),
      );
      assert.deepEqual([...new Set(listed)].sort(), expected, name);
    }
  });

  describe('examples', () => {
    let project: TestProject;
    let file: string;
    before(async () => {
      const first = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
      const code = sections
        .filter(({ examples }) => examples.length > 0)
        .toSorted((a, b) => first(a.name) - first(b.name))
        .map(({ name, examples: [example = ''] }) => {
          const isNode = name.startsWith('Parallel');
          const id = name.replace(/[A-Z]+/g, letters => `_${letters.toLowerCase()}`).replace(/^_/, '');
          return `add(${isNode ? `\n${example}` : `new Task({ id: '${id}', commands: [\n${example},\n] })`});`;
        });
      for (const [index, example] of general.entries())
        code.push(`add(new Task({ id: 'general_${String(index + 1)}', commands: [\n${example},\n] }));`);
      project = await testProject(files);
      file = join(project.path, 'page.pipeline.ts');
      await writeFile(
        file,
        `import { ${[...documented().keys()].join(', ')}, type Node, Pipeline, Task } from 'millrace';
const page = new Pipeline({ id: 'page', onFailure: 'runAll', params: { day: { type: 'date' } } });
let before: Node[] = [];
function add(node: Node): void {
  page.add(node, before);
  before = [node];
}
add(new Task({ id: 'shop', commands: [new ExecuteSQL({ sqlFile: 'create_shop.sql' })] }));
${code.join('\n')}
export default page;
`,
      );
      if (hasSqlite) {
        execFileSync('sqlite3', [
          join(project.path, 'data', 'products.db'),
          "create table products (id int, name text); insert into products values (1, 'a'), (2, 'b')",
        ]);
      }
    });
    after(async () => {
      await project[Symbol.asyncDispose]();
    });

    it('are right by their types', async function () {
      this.timeout(120_000);
      const config = join(project.path, 'tsconfig.json');
      await writeFile(
        config,
        JSON.stringify({
          extends: join(resources, 'tsconfig.json'),
          compilerOptions: {
            typeRoots: [join(resources, 'node_modules', '@types')],
            types: ['node'],
            noUnusedLocals: false,
            paths: { millrace: [join(resources, 'runner/api/index.ts')] },
          },
          include: [file],
        }),
      );
      const compiler = join(resources, 'node_modules', 'typescript', 'bin', 'tsc');
      const output = await run(process.execPath, [compiler, '-p', config]).then(
        ({ stdout }) => stdout,
        (error: unknown) => (error as { readonly stdout: string }).stdout,
      );
      // Errors of the sources themselves are the business of the compiler's own run.
      assert.deepEqual(
        output.split('\n').filter(line => line.includes('page.pipeline.ts')),
        [],
      );
    });

    it('run', async function () {
      this.timeout(120_000);
      const requests: string[] = [];
      const server = createServer((request, response) => {
        requests.push(
          `${String(request.method)} ${String(request.url)} ${String(request.headers.authorization)}`,
        );
        response.end('refreshed');
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      try {
        const { stdout, stderr } = await project.run(['run', '--param', 'day=2026-01-31', '--json'], {
          env: { DASHBOARD_URL: `http://127.0.0.1:${String(port)}`, DASHBOARD_TOKEN: 't0ken' },
        });
        const failed = Object.entries(outcomesOf(eventsOf(stdout)))
          .filter(([path, outcome]) => outcome !== 'succeeded' && path !== '' && path !== 'page')
          .map(([path]) => path);
        const needSqlite = hasSqlite
          ? []
          : ['read_sqlite', 'parallel_read_sqlite', 'assert_bigger_than_or_equal'];
        const unexpected = failed.filter(path => !needSqlite.includes(path.replace('page/', '')));
        const errors = eventsOf(stdout).flatMap(event =>
          event.type === 'node_finished' && event.error !== null ? [event.error] : [],
        );
        assert.deepEqual(unexpected, [], `${errors.join('\n')}\n${stderr}`);
        assert.deepEqual(requests, ['POST /refresh Bearer t0ken']);
      } finally {
        server.close();
        await once(server, 'close');
      }
    });
  });
});
