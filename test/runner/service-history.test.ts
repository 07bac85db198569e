/** What the service answers about runs that are over. */
import assert from 'node:assert/strict';
import type { RunRecord } from '../../runner/records.ts';
import { eventsOf, testProject, type TestProject } from '../support/project.ts';
import { startService, type TestService } from '../support/service.ts';

const PIPELINES = `
import { ParallelTask, Pipeline, RunBash, RunFunction, Task } from 'millrace';

class Children extends ParallelTask {
  override addParallelTasks(into: Pipeline) {
    for (const id of ['x', 'y']) into.add(new Task({ id, commands: [new RunBash('echo child ' + id)] }));
  }
}

const shop = new Pipeline({
  id: 'shop',
  params: { code: { type: 'number', default: 0 }, name: { type: 'string', default: 'ann' } },
});
const load = new Pipeline({ id: 'load' });
const say = ({ log }) => {
  log.verbatim('one');
  log.error('Two');
  log.verbatim('three, two');
};
load.add(new Task({ id: 'customers', commands: [new RunFunction(say)] }));
load.add(new Task({ id: 'orders', maxRetries: 1, retryDelay: 0, commands: [
  new RunFunction(context => {
    context.log.info('orders ' + context.params.name);
    if (context.params.code !== 0) throw new Error('exit code ' + context.params.code);
  }),
] }), ['customers']);
shop.add(load);
shop.add(new Children({ id: 'many' }), ['load']);
export default shop;
`;

describe('service: history', function () {
  this.timeout(60_000);
  let project: TestProject;
  let service: TestService;

  const run = async (args: readonly string[]): Promise<number> => {
    const { stdout } = await project.run(['run', '--json', ...args]);
    return eventsOf(stdout)[0]?.runId ?? 0;
  };
  const ids = (runs: readonly RunRecord[]): number[] => runs.map(({ runId }) => runId);
  let failed = 0;
  let selected = 0;
  let good = 0;

  before(async () => {
    project = await testProject({ 'shop.pipeline.ts': PIPELINES });
    failed = await run(['shop', '--param', 'code=7']);
    selected = await run(['shop', '--nodes', 'load/customers']);
    good = await run(['shop', '--trigger', 'editor', '--param', 'name=bob']);
    // A task may take less than the clock can tell, and what takes no time costs nothing.
    await project.query(
      `UPDATE node_run SET ended_at = started_at + interval '1 second' WHERE run_id = $1 AND kind <> 'pipeline'`,
      [good],
    );
    service = await startService(project.path);
    assert.equal((await service.request('connect', {})).kind, 'ready');
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  });

  it('lists runs, with filters and counts', async () => {
    const all = await service.request('runs', {});
    assert.deepEqual(ids(all.runs), [good, selected, failed]);
    assert.deepEqual(
      { ...all, runs: [] },
      { runs: [], matching: 3, total: 3, byStatus: { succeeded: 2, failed: 1 } },
    );
    const [newest, , oldest] = all.runs;
    assert.deepEqual(newest?.params, { code: 0, name: 'bob' });
    assert.deepEqual([newest.trigger, newest.pipelinePath, newest.nodePaths], ['editor', ['shop'], []]);
    assert.deepEqual(oldest?.failure, { nodePath: ['shop', 'load', 'orders'], error: 'exit code 7' });

    const found = async (query: object): Promise<number[]> =>
      ids((await service.request('runs', query)).runs);
    assert.deepEqual(await found({ statuses: ['failed'] }), [failed]);
    assert.deepEqual(await found({ triggers: ['editor', 'api'] }), [good]);
    assert.deepEqual(await found({ text: 'EXIT code' }), [failed]);
    assert.deepEqual(await found({ text: `#${String(selected)}` }), [selected]);
    assert.deepEqual(await found({ text: 'load/customers' }), [selected]);
    assert.deepEqual(await found({ path: ['shop', 'load', 'orders'] }), [good, failed]);
    assert.deepEqual(await found({ since: newest.startedAt }), [good]);
    assert.deepEqual(await found({ unresolvedOnly: true }), []);
    assert.deepEqual(await found({ limit: 1, before: good }), [selected]);
    const counts = await service.request('runs', {
      statuses: ['failed'],
      path: ['shop', 'load', 'orders'],
      limit: 0,
    });
    assert.deepEqual(counts, { runs: [], matching: 1, total: 3, byStatus: { succeeded: 1, failed: 1 } });
  });

  it('gives a run with its graph, attempts, progress and critical path', async () => {
    const details = await service.request('run', { runId: failed });
    assert.ok(details !== null);
    const names = new Map(
      details.nodeRuns.map(node => [node.nodeRunId, `${node.nodePath.join('/')} ${String(node.attempt)}`]),
    );
    assert.deepEqual([...names.values()].sort(), [
      'shop 1',
      'shop/load 1',
      'shop/load/customers 1',
      'shop/load/orders 1',
      'shop/load/orders 2',
      'shop/many 1',
    ]);
    assert.equal(details.graph?.id, 'shop');
    assert.deepEqual(
      details.criticalPath.map(id => names.get(id)),
      ['shop/load/customers 1', 'shop/load/orders 1', 'shop/load/orders 2'],
    );
    assert.deepEqual(details.progress, { fraction: 1, finished: 3, total: 3, left: null });
    assert.deepEqual(Object.keys(details.expected).sort(), [
      'shop',
      'shop/load',
      'shop/load/customers',
      'shop/load/orders',
      'shop/many',
    ]);
    assert.equal(await service.request('run', { runId: 9_999 }), null);
    const part = await service.request('run', { runId: selected });
    assert.deepEqual(part?.progress, { fraction: 1, finished: 1, total: 1, left: null });
    assert.ok(Array.isArray(await service.request('statistics', { runId: good })));
  });

  it('gives figures of all nodes in the order of the graph, and of what a parallel task made', async () => {
    const figures = await service.request('figures', { path: [] });
    assert.deepEqual(
      figures.map(({ path }) => path.join('/')),
      ['', 'shop', 'shop/load', 'shop/load/customers', 'shop/load/orders', 'shop/many'],
    );
    const of = new Map(figures.map(figure => [figure.path.join('/'), figure]));
    const orders = of.get('shop/load/orders');
    assert.equal(orders?.last?.status, 'succeeded');
    assert.deepEqual(
      orders.recent.map(({ runId, status }) => [runId, status]),
      [
        [failed, 'failed'],
        [good, 'succeeded'],
      ],
    );
    const customers = of.get('shop/load/customers');
    assert.equal(customers?.recent.length, 3);
    // What follows counts: orders, then the parallel task.
    assert.ok(customers.cost > orders.cost && orders.cost > (of.get('shop/many')?.cost ?? 0));
    assert.equal(of.get('shop')?.averageDuration !== null, true);
    assert.equal(of.get('')?.last, null);
    const below = await service.request('figures', { path: ['shop', 'many'] });
    assert.deepEqual(
      below.map(({ path }) => path.join('/')),
      ['shop/many', 'shop/many/x', 'shop/many/y'],
    );
    assert.deepEqual(await service.request('figures', { path: ['nowhere'] }), [
      { path: ['nowhere'], averageDuration: null, averageRunTime: null, cost: 0, last: null, recent: [] },
    ]);
  });

  it('gives run times, ordered by cost', async () => {
    const times = await service.request('runTimes', { path: ['shop'] });
    assert.deepEqual(
      times.map(({ path, points }) => [path.join('/'), points.map(({ runId }) => runId)]),
      [
        ['shop', [failed, selected, good]],
        ['shop/load', [failed, selected, good]],
        ['shop/many', [failed, good]],
      ],
    );
    assert.equal(times[2]?.points[0]?.duration, null);
    assert.equal(times[2].points[0].status, 'skipped');
  });

  it('gives attempts with the number of their lines', async () => {
    const attempts = await service.request('attempts', { path: ['shop', 'load', 'orders'] });
    assert.deepEqual(
      attempts.map(({ runId, attempt, status }) => [runId, attempt, status]),
      [
        [good, 1, 'succeeded'],
        [failed, 2, 'failed'],
        [failed, 1, 'failed'],
      ],
    );
    assert.equal(attempts[0]?.lines, 2);
    const [, second] = attempts;
    const before = await service.request('attempts', {
      path: ['shop', 'load', 'orders'],
      limit: 1,
      ...(second !== undefined && { before: second.nodeRunId }),
    });
    assert.deepEqual(
      before.map(({ attempt }) => attempt),
      [1],
    );
  });

  it('gives the grid of nodes and runs', async () => {
    const grid = await service.request('grid', { query: { path: ['shop'] } });
    assert.deepEqual(ids(grid.runs), [failed, selected, good]);
    assert.deepEqual(
      grid.nodes.map(({ path, kind }, row) => [path.join('/'), kind, ...(grid.cells[row] ?? [])]),
      [
        ['shop', 'pipeline', 'failed', 'succeeded', 'succeeded'],
        ['shop/load', 'pipeline', 'failed', 'succeeded', 'succeeded'],
        ['shop/load/customers', 'task', 'succeeded', 'succeeded', 'succeeded'],
        ['shop/load/orders', 'task', 'failed', null, 'succeeded'],
        ['shop/many', 'parallel', 'skipped', null, 'succeeded'],
        ['shop/many/x', 'task', null, null, 'succeeded'],
        ['shop/many/y', 'task', null, null, 'succeeded'],
      ],
    );
  });

  it('gives output by index, searches in it and finds errors', async () => {
    const { view, extent } = await service.request('openOutput', { runId: good, path: ['shop', 'load'] });
    assert.deepEqual(extent, { lines: 6, errors: 1, complete: true });
    const lines = await service.request('readOutput', { view, from: 1, count: 3 });
    assert.deepEqual(
      lines.map(({ message, nodePath, attempt, seq, isError, format }) => [
        message,
        nodePath.join('/'),
        attempt,
        seq,
        isError,
        format,
      ]),
      [
        ['one', 'shop/load/customers', 1, 2, false, 'verbatim'],
        ['Two', 'shop/load/customers', 1, 3, true, 'standard'],
        ['three, two', 'shop/load/customers', 1, 4, false, 'verbatim'],
      ],
    );
    assert.deepEqual(
      await service.request('readOutput', { view, from: 5, count: 10 }).then(rest => rest.length),
      1,
    );
    assert.deepEqual(await service.request('readOutput', { view, from: 6, count: 10 }), []);
    assert.deepEqual(await service.request('searchOutput', { view, text: 'TWO', from: 0 }), {
      indexes: [2, 3],
      next: null,
    });
    assert.deepEqual(await service.request('searchOutput', { view, text: 'two', from: 0, limit: 1 }), {
      indexes: [2],
      next: 3,
    });
    const error = (from: number, direction: 'next' | 'previous') =>
      service.request('findError', { view, from, direction });
    assert.deepEqual(await error(0, 'next'), { index: 2 });
    assert.deepEqual(await error(2, 'next'), { index: 2 });
    assert.equal(await error(3, 'next'), null);
    assert.deepEqual(await error(2, 'previous'), { index: 2 });
    assert.deepEqual(await error(Number.MAX_SAFE_INTEGER, 'previous'), { index: 2 });
    assert.equal(await error(1, 'previous'), null);
    assert.equal(await service.request('closeOutput', { view }), null);
    await assert.rejects(service.request('readOutput', { view, from: 0, count: 1 }), {
      code: 'notFound',
      message: 'This view on the output is closed. Open it again.',
    });

    const errors = await service.request('openOutput', { runId: good, errorsOnly: true });
    assert.deepEqual(errors.extent, { lines: 1, errors: 1, complete: true });
    const [only] = await service.request('readOutput', { view: errors.view, from: 0, count: 9 });
    assert.equal(only?.message, 'Two');
    const [, attempt] = await service.request('attempts', { path: ['shop', 'load', 'orders'] });
    const one = await service.request('openOutput', { runId: failed, nodeRunId: attempt?.nodeRunId ?? 0 });
    assert.equal(one.extent.lines, attempt?.lines);
    assert.deepEqual((await service.request('openOutput', { runId: 9_999 })).extent, {
      lines: 0,
      errors: 0,
      complete: true,
    });
  });

  it('runs the same again, by what the history says of a run', async () => {
    const [, , record] = (await service.request('runs', { limit: 3 })).runs;
    assert.ok(record !== undefined);
    const params = Object.entries(record.params).flatMap(([name, value]) => [
      '--param',
      `${name}=${String(value)}`,
    ]);
    const again = await run([record.pipelinePath.join('/'), ...params]);
    const details = await service.request('run', { runId: again });
    assert.deepEqual(details?.run.params, { code: 7, name: 'ann' });
    assert.deepEqual([details.run.pipelinePath, details.run.nodePaths], [['shop'], []]);
    const resumed = await run(['--resume', String(again), '--param', 'code=0']);
    const rest = await service.request('run', { runId: resumed });
    assert.equal(rest?.run.resumedFrom, again);
    assert.deepEqual(rest.progress, { fraction: 1, finished: 4, total: 4, left: null });
    assert.equal(
      rest.nodeRuns.some(({ nodePath }) => nodePath.at(-1) === 'customers'),
      false,
    );
  });

  it('says what is wrong with a request and goes on', async () => {
    await assert.rejects(service.request('runs', { statuses: ['odd'] } as never), (error: Error) =>
      error.message.startsWith('The request "runs" is wrong: '),
    );
    await assert.rejects(service.request('nothing' as never, {} as never), {
      message: 'There is no request "nothing".',
    });
    assert.equal((await service.request('connect', {})).kind, 'ready');
    assert.deepEqual(await service.request('cancel', { runId: failed }), { kind: 'ended' });
    assert.deepEqual(await service.request('cancel', { runId: 9_999 }), { kind: 'unknown' });
    assert.equal(service.stderr, '');
  });
});
