import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runMillrace } from '../support/millrace.ts';
import { testProject } from '../support/project.ts';
import { resources } from '../support/store.ts';
import { temporaryFolder } from '../support/temp.ts';

const broken = `import { ExecuteSQL, Pipeline, Task } from 'millrace';


const shop = new Pipeline({ id: 'shop' });
shop.add(new Task({ id: 'load', commands: [new ExecuteSQL({ sql: 'select 1', db: 'dhw' })] }));
shop.add(new Task({ id: 'report' }), ['laod']);
export default shop;
`;

const fine = `import { Pipeline, RunBash, Task } from 'millrace';
throw_if_run();
function throw_if_run() {
  if (process.env.MILLRACE_TEST_RUNS !== undefined) console.log('code of the project was run');
}
const crm = new Pipeline({ id: 'crm', description: 'Customers' });
crm.add(new Task({ id: 'load', commands: [new RunBash('echo load')] }));
crm.add(new Task({ id: \`report_\${process.env.REGION}\` }), ['load']);
export default crm;
`;

/** The keys of a value and of what is in it: of an array those of its first element. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, shapeOf(each)]),
  );
}

describe('millrace check', () => {
  it('prints mistakes as file:line:column, a summary, and exits with 1', async () => {
    await using project = await testProject({ 'shop/shop.pipeline.ts': broken, 'crm.pipeline.ts': fine });
    const { exitCode, stdout, stderr } = await project.run(['check']);
    assert.equal(
      stdout,
      `shop/shop.pipeline.ts:5:82: error: There is no database "dhw". The project has: "dwh". Databases are named in millrace.config.ts. [unknown-database]
shop/shop.pipeline.ts:6:39: error: Pipeline "shop" has no node "laod" (wanted as an upstream of "report"). It has: "load". [unknown-upstream]
`,
    );
    assert.equal(stderr, 'millrace: 2 pipeline files: 2 errors, 0 warnings\n');
    assert.equal(exitCode, 1);
    // The expression that docs/cli.md gives for problem matchers.
    const [, pattern = ''] =
      /"regexp": (".*")/.exec(await readFile(join(resources, 'docs', 'cli.md'), 'utf8')) ?? [];
    const match = new RegExp(JSON.parse(pattern) as string).exec(stdout.split('\n')[0] ?? '');
    assert.deepEqual([...(match ?? [])].slice(1), [
      'shop/shop.pipeline.ts',
      '5',
      '82',
      'error',
      'There is no database "dhw". The project has: "dwh". Databases are named in millrace.config.ts.',
      'unknown-database',
    ]);
  });

  it('exits with 0 when there are only warnings, and runs no code', async () => {
    await using project = await testProject({
      'crm.pipeline.ts': `${fine}new Task({ id: 'lost' });\n`,
    });
    assert.deepEqual(await project.run(['check'], { env: { MILLRACE_TEST_RUNS: '1' } }), {
      exitCode: 0,
      stdout: `crm.pipeline.ts:10:1: warning: Task "lost" is not part of any pipeline, so it never runs. Add it to a pipeline with add(). [unused-node]
`,
      stderr: 'millrace: 1 pipeline file: 0 errors, 1 warning\n',
    });
  });

  it('looks at a file, a folder, or a node', async () => {
    await using project = await testProject({ 'shop/shop.pipeline.ts': broken, 'crm.pipeline.ts': fine });
    for (const path of ['shop', 'shop/shop.pipeline.ts', 'shop/report']) {
      const { exitCode, stderr } = await project.run(['check', path]);
      assert.deepEqual([exitCode, stderr], [1, `millrace: ${path}: 2 errors, 0 warnings\n`]);
    }
    for (const path of ['crm', 'crm/load', 'crm.pipeline.ts']) {
      const { exitCode, stderr } = await project.run(['check', path]);
      assert.deepEqual([exitCode, stderr], [0, `millrace: ${path}: 0 errors, 0 warnings\n`]);
    }
    assert.deepEqual(await project.run(['check', 'crm/laod']), {
      exitCode: 2,
      stdout: '',
      stderr: 'millrace: There is no node "crm/laod". "crm" has: "load", "report_…".\n',
    });
  });

  const sql = {
    'shop.pipeline.ts': `import { ExecuteSQL, Pipeline, Task } from 'millrace';

const shop = new Pipeline({ id: 'shop' });
shop.add(new Task({ id: 'load', commands: [new ExecuteSQL({ sql: 'create table orders (id int)' })] }));
shop.add(new Task({ id: 'report', commands: [new ExecuteSQL({ sqlFile: 'report.sql' })] }));
export default shop;
`,
    'report.sql': `create table report as
select * from orders where day = @day@;
`,
  };
  const orderMistake =
    'report.sql:2:15: warning: Task "shop/report" reads orders, which task "shop/load" makes, but does not wait for it: let "report" wait for "load". [missing-dependency]\n';
  const placeholderMistake =
    'report.sql:2:34: warning: Nothing replaces @day@: give it in the option replace of the command. [unreplaced-placeholder]\n';

  it('reads the SQL of tasks: a missing dependency, a placeholder that nothing replaces, a typo', async () => {
    await using project = await testProject(sql);
    assert.deepEqual(await project.run(['check']), {
      exitCode: 0,
      stdout: orderMistake + placeholderMistake,
      stderr: 'millrace: 1 pipeline file: 0 errors, 2 warnings\n',
    });
    await project.write({ 'report.sql': 'selct 1;\n' });
    assert.deepEqual(await project.run(['check']), {
      exitCode: 1,
      stdout:
        'report.sql:1:1: error: Postgres cannot parse this: syntax error at or near "selct". [sql-syntax]\n',
      stderr: 'millrace: 1 pipeline file: 1 error, 0 warnings\n',
    });
  });

  it('reads the SQL as it is built, too', async () => {
    await using project = await testProject(sql);
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [join(resources, 'dist', 'millrace.js'), 'check'],
      { cwd: project.path },
    );
    assert.equal(stdout, orderMistake + placeholderMistake);
    assert.equal(stderr, 'millrace: 1 pipeline file: 0 errors, 2 warnings\n');
  });

  it('prints JSON as docs/cli.md says', async () => {
    await using project = await testProject({
      'shop.pipeline.ts': broken.replace("id: 'report'", "id: 'load'"),
    });
    const { exitCode, stdout } = await project.run(['check', '--json']);
    assert.equal(exitCode, 1);
    const text = await readFile(join(resources, 'docs', 'cli.md'), 'utf8');
    const example = text.split('<!-- example: check --json -->\n```json\n')[1]?.split('\n```')[0];
    assert.ok(example !== undefined);
    const mistakes = JSON.parse(stdout) as { code: string }[];
    const duplicate = mistakes.find(({ code }) => code === 'duplicate-id');
    assert.deepEqual(shapeOf([duplicate]), shapeOf(JSON.parse(example)));
  });
});

describe('millrace graph --static', () => {
  for (const name of ['demo', 'python-project-stats', 'repo-stats']) {
    it(`says of the example ${name} what loading it says, and check finds nothing`, async () => {
      await using folder = await temporaryFolder({});
      const cwd = join(folder.path, name);
      await cp(join(resources, 'examples', name), cwd, { recursive: true });
      const loaded = await runMillrace(['graph', '--no-locations'], { cwd });
      const known = await runMillrace(['graph', '--no-locations', '--static'], { cwd });
      assert.equal(loaded.stderr, '');
      assert.deepEqual(known, loaded);
      const { exitCode, stdout } = await runMillrace(['check'], { cwd });
      assert.deepEqual([exitCode, stdout], [0, '']);
    });
  }

  interface Node {
    readonly id: string;
    readonly kind: string;
    readonly reason?: string;
    readonly upstreams: readonly string[];
    readonly location?: object;
    readonly nodes: readonly Node[];
  }

  it('prints the graph without running code, with places and placeholders', async () => {
    await using project = await testProject({ 'crm.pipeline.ts': fine });
    const { exitCode, stdout, stderr } = await project.run(['graph', '--static'], {
      env: { MILLRACE_TEST_RUNS: '1' },
    });
    assert.deepEqual([exitCode, stderr], [0, '']);
    const [crm] = (JSON.parse(stdout) as { root: Node }).root.nodes;
    assert.deepEqual(
      crm?.nodes.map(({ id, kind, reason, upstreams }) => [id, kind, reason, upstreams]),
      [
        ['load', 'task', undefined, []],
        ['report_…', 'dynamic', 'The id depends on the environment variable REGION.', ['load']],
      ],
    );
    assert.deepEqual(crm.location, {
      file: join(project.path, 'crm.pipeline.ts'),
      line: 6,
      column: 13,
      endLine: 6,
      endColumn: 66,
    });
    const loaded = await project.run(['graph', 'crm/load', '--no-locations']);
    const known = await project.run(['graph', 'crm/load', '--no-locations', '--static']);
    assert.deepEqual(JSON.parse(known.stdout), JSON.parse(loaded.stdout));
  });

  it('draws too', async () => {
    await using project = await testProject({ 'crm.pipeline.ts': fine });
    const { stdout } = await project.run(['graph', '--static', '--format', 'mermaid']);
    assert.equal(
      stdout,
      `flowchart LR
  subgraph n1["crm"]
    n2["load"]
    n3{{"report_…"}}
  end
  n2 --> n3
`,
    );
    const dot = await project.run(['graph', 'crm', '--static', '--format', 'dot']);
    assert.match(dot.stdout, /^digraph "crm" \{\n/);
  });

  it('exits with 1 when a file could not be loaded', async () => {
    await using project = await testProject({ 'shop.pipeline.ts': broken });
    const { exitCode, stdout, stderr } = await project.run(['graph', '--static']);
    assert.equal(exitCode, 1);
    assert.equal(stderr, 'millrace: There are 2 errors in the source: see millrace check.\n');
    assert.deepEqual(
      (JSON.parse(stdout) as { root: Node }).root.nodes[0]?.nodes.map(({ id }) => id),
      ['load', 'report'],
    );
  });
});
