/** What only the project's code can tell, and `millrace config`. */
import assert from 'node:assert/strict';
import type { ConfigurationRecord } from '../../runner/records.ts';
import { testProject, type TestProject } from '../support/project.ts';
import { startService, type TestService } from '../support/service.ts';

const FILES = {
  'demo.pipeline.ts': `
import { ExecuteSQL, ParallelTask, Pipeline, RunBash, Task } from 'millrace';

console.log('noise of a pipeline file');
class Many extends ParallelTask {
  override addParallelTasks() {}
  override docs() { return [{ label: 'pattern', value: 'with s3cret word in it' }]; }
}
const demo = new Pipeline({ id: 'demo' });
demo.add(new Task({ id: 'bash', commands: [
  new RunBash('echo s3cret word'),
  new ExecuteSQL({ sql: 'SELECT @@a@@', replace: { '@@a@@': '1' } }),
] }));
demo.add(new Task({ id: 'dynamic', commands: () => { throw new Error('only a run may call this'); } }));
demo.add(new Many({ id: 'many', commandsBefore: [new RunBash('echo first')], commandsAfter: [new RunBash('echo last')] }));
export default demo;
`,
  'millrace.config.ts': `
import { defineConfig, postgres } from 'millrace';
export default defineConfig({
  databases: { dwh: postgres({ host: 'db.example', database: 'shop', user: 'ann', password: 'pa55word' }) },
  passwordMasks: ['s3cret word'],
  retentionDays: 7,
  eventHandlers: [function tellAll() {}, () => {}],
});
`,
  'millrace.local.ts': `export default { maxParallelTasks: 3 };\n`,
};

describe('service: the project', function () {
  this.timeout(60_000);
  let project: TestProject;
  let service: TestService;

  beforeEach(async () => {
    project = await testProject(FILES);
    service = await startService(project.path);
  });
  afterEach(async () => {
    await service[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  });

  it('documents the commands of a task, with secrets masked', async () => {
    const { commands, parallel } = await service.request('taskDocs', { path: ['demo', 'bash'] });
    assert.deepEqual(commands?.[0], {
      kind: 'RunBash',
      items: [{ label: 'command', value: 'echo ***', language: 'bash' }],
    });
    assert.equal(commands[1]?.kind, 'ExecuteSQL');
    const sql = commands[1].items.filter(({ language }) => language === 'sql').map(({ value }) => value);
    assert.ok(sql.includes('SELECT @@a@@') && sql.includes('SELECT 1'));
    assert.equal(parallel, null);
    assert.deepEqual(await service.request('taskDocs', { path: ['demo', 'dynamic'] }), {
      commands: null,
      parallel: null,
    });
    assert.deepEqual(await service.request('taskDocs', { path: ['demo'] }), { commands: [], parallel: null });
  });

  it('documents a parallel task and what is known of its children', async () => {
    const bash = (value: string) => [
      { kind: 'RunBash', items: [{ label: 'command', value, language: 'bash' }] },
    ];
    assert.deepEqual(await service.request('taskDocs', { path: ['demo', 'many'] }), {
      commands: null,
      parallel: {
        before: bash('echo first'),
        creation: [{ label: 'pattern', value: 'with *** in it' }],
        after: bash('echo last'),
      },
    });
    assert.deepEqual(await service.request('taskDocs', { path: ['demo', 'many', 'after'] }), {
      commands: bash('echo last'),
      parallel: null,
    });
    assert.deepEqual(await service.request('taskDocs', { path: ['demo', 'many', 'x'] }), {
      commands: null,
      parallel: null,
    });
  });

  it('sees the code as it is now, and says what is wrong with it', async () => {
    const docs = (id: string) => service.request('taskDocs', { path: ['demo', id] });
    await assert.rejects(docs('bahs'), {
      code: 'load',
      message: 'There is no node "demo/bahs". "demo" has: "bash", "dynamic", "many".',
    });
    await project.write({
      'demo.pipeline.ts': `
import { Pipeline, RunBash, Task } from 'millrace';
const demo = new Pipeline({ id: 'demo' });
demo.add(new Task({ id: 'bash', commands: [new RunBash('echo changed')] }));
export default demo;
`,
    });
    assert.equal((await docs('bash')).commands?.[0]?.items[0]?.value, 'echo changed');
    await project.write({ 'demo.pipeline.ts': `throw new Error('not today');\n` });
    await assert.rejects(docs('bash'), {
      code: 'load',
      message:
        `demo.pipeline.ts:1:7: error: not today\nthrow new Error('not today');\n      ^\n` +
        'There is no node "demo". The project has: none.',
    });
  });

  it('gives every value of the configuration with its origin', async () => {
    const records = await service.request('configuration', {});
    const of = (key: string): ConfigurationRecord | undefined => records.find(record => record.key === key);
    assert.deepEqual(of('databases.dwh'), {
      key: 'databases.dwh',
      value: 'postgres://ann@db.example:5432/shop',
      origin: 'millrace.config.ts',
    });
    assert.deepEqual(of('maxParallelTasks'), {
      key: 'maxParallelTasks',
      value: '3',
      origin: 'millrace.local.ts',
    });
    assert.deepEqual(of('eventHandlers')?.value, 'tellAll, a function');
    assert.deepEqual(of('killTimeout'), { key: 'killTimeout', value: '5', origin: 'default' });
    assert.ok(!JSON.stringify(records).includes('pa55word'));
  });

  it('millrace config prints the same', async () => {
    const env = { MILLRACE_FIRST_DATE: '2020-01-01', MILLRACE_STORE_URL: 'postgres://bob:hush_hush@x/y' };
    const json = await project.run(['config', '--json'], { env });
    assert.equal(json.exitCode, 0);
    const records = JSON.parse(json.stdout.replace(/^noise.*\n/, '')) as ConfigurationRecord[];
    assert.deepEqual(
      records.find(({ key }) => key === 'firstDate'),
      { key: 'firstDate', value: '2020-01-01', origin: 'MILLRACE_FIRST_DATE' },
    );
    assert.deepEqual(
      records.find(({ key }) => key === 'store'),
      { key: 'store', value: 'postgres://bob:***@x/y', origin: 'MILLRACE_STORE_URL' },
    );
    const table = await project.run(['config'], { env });
    assert.equal(table.exitCode, 0);
    assert.match(table.stdout, /^key +value +from\n/);
    assert.match(table.stdout, /^retentionDays +7 +millrace\.config\.ts$/m);
    assert.ok(!(json.stdout + table.stdout).includes('hush_hush'));
  });
});
