import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setIncrementalCopyStatus, setFileDependency, setProcessedFile } from '../../runner/store/state.ts';
import { openStore } from '../../runner/store/open.ts';
import { eventsOf, testProject, type TestProject } from '../support/project.ts';
import { resources, temporaryHome } from '../support/store.ts';

const shop = `
import { existsSync } from 'node:fs';
import { Pipeline, RunBash, RunFunction, Task } from 'millrace';

const shop = new Pipeline({ id: 'shop', description: 'Loads the shop' });
const load = new Pipeline({ id: 'load', onFailure: 'runAll' });
load.add(new Task({ id: 'customers', description: 'From the CRM', commands: [new RunBash('echo one; echo two >&2; echo three')] }));
load.add(new Task({
  id: 'orders', maxRetries: 1, retryDelay: 0.01, commands: [new RunBash('echo trying; echo "no orders" >&2; exit 4')],
}));
load.add(new Task({ id: 'rows', commands: [new RunFunction(context => { context.addRows(1234567); })] }));
shop.add(load);
shop.add(new Task({ id: 'report', commands: [new RunBash('true')] }), ['load']);
export default shop;
`;

/** Without what differs from run to run. */
function steady(text: string): string {
  return text
    .replace(/\b\d+(?:\.\d+)?m?s\b(?! ago)/g, '‹t›')
    .replace(/\b\d+ (?:s|min) ago/g, '‹age› ago')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '‹time›')
    .replace(/ +/g, ' ')
    .replace(/ \n/g, '\n');
}

/** The keys of a value and of what is in it: of an array those of its first element. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return true;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [
        key,
        ['params', 'graph', 'labels', 'nodes'].includes(key) ? true : shapeOf(each),
      ]),
  );
}

/** The example of docs/cli.md with a name. */
async function example(name: string): Promise<unknown> {
  const text = await readFile(join(resources, 'docs', 'cli.md'), 'utf8');
  const found = text.split(`<!-- example: ${name} -->\n\`\`\`json\n`)[1]?.split('\n```')[0];
  assert.ok(found !== undefined, `docs/cli.md has no example for ${name}`);
  return JSON.parse(found);
}

describe('history on the command line', () => {
  let project: TestProject;

  async function printed(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await project.run(args);
    assert.equal(exitCode, 0, stdout + stderr);
    return stdout;
  }
  const parsed = async (...args: string[]): Promise<unknown> => JSON.parse(await printed(...args, '--json'));

  async function refuses(args: readonly string[], message: string): Promise<void> {
    const { exitCode, stderr } = await project.run(args);
    assert.equal(stderr, `millrace: ${message}\n`);
    assert.equal(exitCode, 2);
  }

  before(async () => {
    project = await testProject({ 'shop.pipeline.ts': shop });
    const empty = await project.run(['runs']);
    assert.equal(empty.stderr, 'millrace: No run is recorded that fits.\n');
    await refuses(['show', '1'], 'There is no run 1 in this project. Nothing has been run in it yet.');
    assert.equal((await project.run(['run', 'shop', '--parallel', '1'])).exitCode, 1);
    assert.equal((await project.run(['run', 'shop/load/customers'])).exitCode, 0);
  });
  after(() => project[Symbol.asyncDispose]());

  describe('list', () => {
    it('draws the tree', async () => {
      assert.equal(
        steady(await printed('list')),
        `node kind average cost last description
shop pipeline – ‹t› ✗ failed, ‹age› ago Loads the shop
├─ load pipeline – ‹t› ✓ succeeded, ‹age› ago
│ ├─ customers task ‹t› ‹t› ✓ succeeded, ‹age› ago From the CRM
│ ├─ orders task – – ✗ failed, ‹age› ago
│ └─ rows task ‹t› ‹t› ✓ succeeded, ‹age› ago
└─ report task – – » skipped, ‹age› ago
`,
      );
      const columns = (await printed('list', 'shop/load')).split('\n').map(line => line.indexOf('task'));
      assert.deepEqual(new Set(columns.slice(2, 5)).size, 1, 'columns are aligned');
    });

    it('prints the tree as JSON, as documented', async () => {
      const value = (await parsed('list', 'shop/load')) as {
        root: { path: unknown; nodes: { path: unknown }[] };
      };
      assert.deepEqual(shapeOf(value), shapeOf(await example('list --json')));
      assert.deepEqual(value.root.path, ['shop', 'load']);
      assert.deepEqual(
        value.root.nodes.map(node => node.path),
        [
          ['shop', 'load', 'customers'],
          ['shop', 'load', 'orders'],
          ['shop', 'load', 'rows'],
        ],
      );
      assert.deepEqual(shapeOf({ root: value.root.nodes[0] }), shapeOf(await example('list --json')));
    });
  });

  describe('runs', () => {
    it('lists them, newest first', async () => {
      assert.equal(
        steady((await printed('runs')).replaceAll(/ {2}\S+ {2}(?=shop)/g, '  ‹user›  ')),
        ` run status started duration by what
 2 ✓ succeeded ‹time› ‹t› ‹user› shop/load: customers
 1 ✗ failed ‹time› ‹t› ‹user› shop — shop/load/orders: exit code 4: no orders
`.replaceAll(/^ (?=run)/gm, ''),
      );
    });

    it('prints them as JSON, as documented', async () => {
      const runs = (await parsed('runs')) as { runId: number }[];
      assert.deepEqual(
        runs.map(run => run.runId),
        [2, 1],
      );
      assert.deepEqual(
        shapeOf(runs.slice(1)),
        shapeOf([{ ...((await example('runs --json')) as object[])[0], nodePaths: [] }]),
      );
    });

    it('selects by path, status and number', async () => {
      const ids = async (...args: string[]): Promise<number[]> =>
        ((await parsed('runs', ...args)) as { runId: number }[]).map(run => run.runId);
      assert.deepEqual(await ids('--limit', '1'), [2]);
      assert.deepEqual(await ids('--status', 'failed'), [1]);
      assert.deepEqual(await ids('shop/load/customers'), [2, 1]);
      assert.deepEqual(await ids('shop/report'), [1]);
    });
  });

  describe('show', () => {
    it('draws a run with its attempts, reasons and first error lines', async () => {
      const text = steady(await printed('show', '1'));
      const [title, ...rest] = text.split('\n');
      assert.equal(title, '✗ run 1 failed: shop');
      assert.deepEqual(rest.slice(rest.indexOf('')), [
        '',
        'node status attempt ‹t› rows exit why'.replace('‹t›', 'duration'),
        'shop ✗ failed 1 ‹t›',
        ...rest.slice(rest.indexOf('') + 3, -1),
        '',
      ]);
      for (const line of [
        'tasks 2 succeeded, 1 failed, 1 skipped',
        'shop/load/customers ✓ succeeded 1 ‹t› 0',
        'shop/load/orders ✗ failed 1 ‹t› 4 exit code 4: no orders',
        'shop/load/orders ✗ failed 2 ‹t› 4 exit code 4: no orders',
        'shop/load/rows ✓ succeeded 1 ‹t› 1,234,567',
      ]) {
        assert.ok(rest.includes(line), `${line} is missing in\n${text}`);
      }
      assert.ok(
        rest.some(line => line.startsWith('shop/report » skipped 1 ')),
        text,
      );
    });

    it('prints a run as JSON, as documented', async () => {
      const run = (await parsed('show', '1')) as { nodeRuns: object[]; counts: unknown };
      assert.deepEqual(shapeOf(run), shapeOf(await example('show --json')));
      assert.deepEqual(run.counts, {
        ...{ running: 0, succeeded: 2, failed: 1, skipped: 1, cancelled: 0, unchanged: 0, lost: 0 },
      });
      assert.equal(run.nodeRuns.length, 7);
    });

    it('says which run is the newest', () =>
      refuses(['show', '99'], 'There is no run 99 in this project. The newest is 2; see "millrace runs".'));
  });

  describe('logs', () => {
    const customers = `shop / load / customers: echo one; echo two >&2; echo three
shop / load / customers: one
shop / load / customers: two
shop / load / customers: three
`;
    const orders = `shop / load / orders: echo trying; echo "no orders" >&2; exit 4
shop / load / orders: trying
shop / load / orders: no orders
shop / load / orders: exit code 4
`;

    it('prints what was written, all attempts in the order of time', async () => {
      const text = await printed('logs', '1');
      // What a program writes to its two outputs at the same time has no order.
      const sorted = (lines: string): string[] => lines.split('\n').sort();
      assert.deepEqual(
        sorted(text),
        sorted(`${customers}${orders}${orders}shop / load / rows: anonymous()\n`),
      );
      const attempts = eventsOf(await printed('logs', '1', '--json')).flatMap(event =>
        event.type === 'output' ? [`${event.nodePath.join('/')} ${String(event.attempt)}`] : [],
      );
      // One after the other: while `orders` waits for its second attempt, it is the turn of `rows`.
      assert.deepEqual(
        attempts.filter((attempt, index) => attempt !== attempts[index - 1]),
        ['shop/load/customers 1', 'shop/load/orders 1', 'shop/load/rows 1', 'shop/load/orders 2'],
      );
    });

    it('prints only a part, only errors, and both', async () => {
      assert.deepEqual(
        (await printed('logs', '1', 'shop/load/customers')).split('\n').sort(),
        customers.split('\n').sort(),
      );
      assert.equal(
        await printed('logs', '1', '--errors'),
        'shop / load / customers: two\n' +
          'shop / load / orders: no orders\nshop / load / orders: exit code 4\n'.repeat(2),
      );
      assert.equal(
        await printed('logs', '1', 'shop/load/customers', '--errors'),
        'shop / load / customers: two\n',
      );
    });

    it('prints lines as JSON, as documented, also with --follow', async () => {
      for (const follow of [[], ['--follow']]) {
        const text = await printed('logs', '1', 'shop/load/customers', '--errors', '--json', ...follow);
        const lines = text
          .trimEnd()
          .split('\n')
          .map(line => JSON.parse(line) as Record<string, unknown>);
        assert.deepEqual(shapeOf(lines), shapeOf([await example('logs --json')]));
        assert.deepEqual(
          lines.map(({ nodePath, message, isError, format }) => ({ nodePath, message, isError, format })),
          [{ nodePath: ['shop', 'load', 'customers'], message: 'two', isError: true, format: 'verbatim' }],
        );
      }
    });

    it('knows what the run has', async () => {
      await refuses(
        ['logs', '1', 'shop/load/order'],
        'Run 1 has no node "shop/load/order". Did you mean "shop/load/orders"?',
      );
      await refuses(['logs', '1', 'xyz'], 'Run 1 has no node "xyz". "millrace show 1" lists what it has.');
      assert.equal(await printed('logs', '1', 'shop/report'), '');
    });
  });

  describe('reset', () => {
    const state = `shop/load/customers: hashes of 1 file dependency, 2 processed files
shop/load/gone: how far 1 table is copied
`;
    beforeEach(async () => {
      await using store = await openStore({
        projectDirectory: project.path,
        home: await temporaryHome(),
        env: {},
        applicationName: 'test',
        resources,
      });
      const path = ['shop', 'load', 'customers'];
      await setFileDependency(store, path, 'sql', 'abc');
      await setProcessedFile(store, path, 'a.csv', new Date(0));
      await setProcessedFile(store, path, 'b.csv', new Date(0));
      await setIncrementalCopyStatus(store, ['shop', 'load', 'gone'], 'crm.orders', '7');
      await setFileDependency(store, ['shop', 'loads'], 'sql', 'abc');
    });

    it('shows what it would forget, and refuses to ask where there is no terminal', async () => {
      const { exitCode, stdout, stderr } = await project.run(['reset', 'shop/load']);
      assert.equal(stdout, state);
      assert.equal(
        stderr,
        'millrace: Nothing was forgotten: there is no terminal to ask on. Say --yes to forget it.\n',
      );
      assert.equal(exitCode, 2);
    });

    it('forgets a node and what is below it, and nothing else', async () => {
      const { exitCode, stdout, stderr } = await project.run(['reset', 'shop/load', '--yes']);
      assert.equal(stdout, state);
      assert.equal(stderr, 'millrace: Forgot the incremental state of 2 nodes.\n');
      assert.equal(exitCode, 0);
      const again = await project.run(['reset', 'shop/load', '--yes']);
      assert.equal(again.stderr, 'millrace: Nothing is remembered of "shop/load".\n');
      const rest = await project.run(['reset', '--yes']);
      assert.equal(rest.stdout, 'shop/loads: hashes of 1 file dependency\n');
    });
  });
});
