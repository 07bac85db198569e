/** The service and its store: where it is, who may know, and what happens when it goes away. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ownStore } from '../support/own-store.ts';
import { testServer, type TestServer } from '../support/postgres.ts';
import { testProject } from '../support/project.ts';
import { startService } from '../support/service.ts';
import { waitUntil } from '../support/wait.ts';

const PIPELINES = `
import { Pipeline, RunBash, Task } from 'millrace';
const demo = new Pipeline({ id: 'demo' });
demo.add(new Task({ id: 'hello', commands: [new RunBash('echo hello')] }));
export default demo;
`;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('service: store', function () {
  this.timeout(90_000);
  let server: TestServer | undefined;

  before(async () => {
    server = await testServer();
  });
  after(() => server?.[Symbol.asyncDispose]());

  const url = (change: (url: URL) => void = () => undefined): string => {
    const parsed = new URL(server?.url ?? '');
    change(parsed);
    return parsed.href;
  };

  it('opens it when it is asked to, and not before', async () => {
    await using project = await testProject({ 'demo.pipeline.ts': PIPELINES });
    await using service = await startService(project.path);
    assert.deepEqual(
      service.notifications.map(({ type }) => type),
      ['ready'],
    );
    const state = await service.request('connect', {});
    assert.equal(state.kind, 'ready');
    assert.deepEqual(
      service.notifications.map(message => (message.type === 'store' ? message.state.kind : message.type)),
      ['ready', 'connecting', 'ready'],
    );
    assert.deepEqual(await service.request('runs', {}), { runs: [], matching: 0, total: 0, byStatus: {} });
    assert.deepEqual(await service.request('figures', { path: [] }), [
      { path: [], averageDuration: null, averageRunTime: null, cost: 0, last: null, recent: [] },
    ]);
    assert.deepEqual(await service.request('grid', { query: {} }), { runs: [], nodes: [], cells: [] });
  });

  it('finds the store again that was stopped and started, with what has happened meanwhile', async () => {
    await using own = await ownStore();
    await using project = await testProject({ 'demo.pipeline.ts': PIPELINES });
    const env = { MILLRACE_HOME: own.home };
    await using service = await startService(project.path, { env });
    await service.request('connect', {});
    assert.equal((await project.run(['run', 'demo'], { env })).exitCode, 0);
    const { view, extent } = await service.request('openOutput', { runId: 1 });
    await service.request('follow', { runId: 1 });
    assert.equal((await project.run(['store', 'stop', '--force'], { env })).exitCode, 0);
    const { state } = await service.notified('store', message => message.state.kind === 'unreachable');
    assert.ok(state.kind === 'unreachable');
    assert.equal(
      state.message,
      `The connection to the store (embedded Postgres in ${own.home}) was lost. It is tried again.`,
    );
    assert.equal((await project.run(['run', 'demo'], { env })).exitCode, 0);
    const ready = (): number =>
      service.notifications.filter(message => message.type === 'store' && message.state.kind === 'ready')
        .length;
    await waitUntil(() => ready() === 2);
    await service.notified('runs', ({ changed }) =>
      changed.some(run => run.runId === 2 && run.status === 'succeeded'),
    );
    assert.equal((await service.request('runs', {})).total, 2);
    const lines = await service.request('readOutput', { view, from: 0, count: 10 });
    assert.equal(lines.length, extent.lines);
  });

  it('says why it cannot be reached, and opens it when that is mended', async () => {
    await using project = await testProject({ 'demo.pipeline.ts': PIPELINES });
    const address = `${String(server?.config.host)}:${String(server?.config.port)}`;
    await using wrong = await startService(project.path, {
      storeUrl: url(parsed => (parsed.password = 'wrong')),
    });
    const state = await wrong.request('connect', {});
    assert.ok(state.kind === 'unreachable');
    assert.equal(
      state.message,
      `The store on ${address} refuses user "postgres" for database "postgres": ` +
        'password authentication failed for user "postgres". ' +
        'Correct the user or the password in the setting millrace.store.url.',
    );
    assert.equal(state.detail, 'password authentication failed for user "postgres"');
    await assert.rejects(wrong.request('runs', {}), { code: 'store', message: state.message });
    assert.ok(!wrong.stderr.includes('wrong'));

    await using right = await startService(project.path, { storeUrl: url() });
    assert.equal((await right.request('connect', {})).kind, 'ready');
    const configuration = await right.request('configuration', {});
    assert.deepEqual(
      configuration.find(({ key }) => key === 'store'),
      {
        key: 'store',
        value: `Postgres database postgres on ${address}`,
        origin: 'setting millrace.store.url',
      },
    );
  });

  it('uses the store that the configuration names, whose password nobody sees', async () => {
    await using project = await testProject({
      'demo.pipeline.ts': PIPELINES,
      'millrace.config.ts': `
        import { writeFileSync } from 'node:fs';
        import { defineConfig } from 'millrace';
        writeFileSync('marker', '');
        console.log('noise');
        export default defineConfig({ store: ${JSON.stringify(url())}, passwordMasks: ['hidden word'] });`,
    });
    const marker = join(project.path, 'marker');
    await using service = await startService(project.path);
    assert.equal(existsSync(marker), false);
    const state = await service.request('connect', {});
    assert.equal(
      state.kind === 'ready' && state.description.startsWith('Postgres database postgres on'),
      true,
    );
    assert.equal(existsSync(marker), true);
    const configuration = await service.request('configuration', {});
    const store = configuration.find(({ key }) => key === 'store');
    assert.equal(store?.origin, 'millrace.config.ts');
    assert.match(store.value, /^postgres:\/\/postgres:\*\*\*@/);
    assert.deepEqual(
      configuration.find(({ key }) => key === 'passwordMasks'),
      { key: 'passwordMasks', value: '***', origin: 'millrace.config.ts' },
    );
    assert.ok(!JSON.stringify(configuration).includes('hidden word'));
    assert.equal(service.stderr, '');
  });

  it('loads nothing of a folder that is not trusted', async () => {
    await using project = await testProject({
      'demo.pipeline.ts': PIPELINES,
      'millrace.config.ts': `
        import { writeFileSync } from 'node:fs';
        writeFileSync(new URL('marker', import.meta.url), '');
        export default { store: 'postgres://nobody@127.0.0.1:1/none' };`,
      '.env': 'MILLRACE_STORE_URL=postgres://nobody@127.0.0.1:1/none\n',
    });
    await using service = await startService(project.path, { trusted: false });
    const state = await service.request('connect', {});
    assert.equal(state.kind === 'ready' && state.description.startsWith('embedded Postgres'), true);
    const refusal = {
      code: 'untrusted',
      message: 'This folder is not trusted, so that nothing of its code is loaded. Trust it to see this.',
    };
    await assert.rejects(service.request('configuration', {}), refusal);
    await assert.rejects(service.request('taskDocs', { path: ['demo', 'hello'] }), refusal);
    assert.equal((await service.request('runs', {})).total, 0);
    assert.equal(existsSync(join(project.path, 'marker')), false);
  });

  it('says when the configuration cannot be loaded', async () => {
    await using project = await testProject({
      'millrace.config.ts': 'export default { retentionDay: 3 };\n',
    });
    await using service = await startService(project.path);
    const message = 'millrace.config.ts has an unknown key: "retentionDay" (did you mean "retentionDays"?).';
    const state = await service.request('connect', {});
    assert.deepEqual(state, { kind: 'unreachable', message, detail: message });
    await assert.rejects(service.request('configuration', {}), { code: 'load', message });
    await project.write({ 'millrace.config.ts': 'export default { retentionDays: 3 };\n' });
    assert.equal((await service.request('connect', {})).kind, 'ready');
  });

  it('ends with its channel, whatever it is doing, and when it is told to', async () => {
    await using project = await testProject({
      'demo.pipeline.ts': PIPELINES,
      'slow.pipeline.ts': 'await new Promise(resolve => setTimeout(resolve, 60_000));\n',
    });
    const service = await startService(project.path);
    await service.request('connect', {});
    const asked = service.request('taskDocs', { path: ['demo', 'hello'] });
    const gone = assert.rejects(asked);
    service.disconnect();
    assert.equal(await service.exited, 0);
    await gone;
    await waitUntil(() => !isAlive(service.pid));
    await using other = await startService(project.path);
    other.send({ type: 'shutdown' });
    assert.equal(await other.exited, 0);
  });
});
