/** What the service tells while runs go on that others have started. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { testProject, type TestProject } from '../support/project.ts';
import { startService, type TestService } from '../support/service.ts';
import { waitUntil } from '../support/wait.ts';

/**
 * Tasks that wait for a file of their name, so that a test decides what happens when. They also end when a test that has
 * failed has removed the folder.
 */
const PIPELINES = `
import { Pipeline, RunBash, Task } from 'millrace';
const wait = (name: string) => 'echo ' + name + '; while [ -e "$PWD" ] && [ ! -e ' + name + '.go ]; do sleep 0.02; done; echo over';
const slow = new Pipeline({ id: 'slow' });
slow.add(new Task({ id: 'first', commands: [new RunBash(wait('first'))] }));
slow.add(new Task({ id: 'second', commands: [new RunBash(wait('second') + ' >&2')] }), ['first']);
export default slow;
`;

describe('service: runs that go on', function () {
  this.timeout(60_000);
  let project: TestProject;
  let service: TestService;

  beforeEach(async () => {
    project = await testProject({ 'slow.pipeline.ts': PIPELINES });
    service = await startService(project.path);
    await service.request('connect', {});
  });
  afterEach(async () => {
    await service[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
  });

  const go = (name: string): Promise<void> => project.write({ [`${name}.go`]: '' });
  const detached = async (args: readonly string[] = []): Promise<number> => {
    const { stdout, exitCode } = await project.run([
      'run',
      'slow',
      '--detach',
      '--trigger',
      'editor',
      ...args,
    ]);
    assert.equal(exitCode, 0);
    return Number(stdout);
  };

  it('tells when a run begins and ends, what its nodes do, and what they write', async () => {
    const runId = await detached();
    const began = await service.notified('runs', ({ changed }) => changed.some(run => run.runId === runId));
    assert.deepEqual(
      began.changed.map(run => [run.runId, run.status, run.trigger, run.pipelinePath]),
      [[runId, 'running', 'editor', ['slow']]],
    );
    const details = await service.request('follow', { runId });
    assert.equal(details?.run.status, 'running');
    assert.equal(details.progress.total, 2);
    const { view, extent } = await service.request('openOutput', { runId });
    assert.ok(extent.lines <= 2);
    const lines = async (): Promise<string[]> =>
      (await service.request('readOutput', { view, from: 0, count: 100 }))
        .filter(({ format }) => format === 'verbatim')
        .map(({ message }) => message);
    await waitUntil(async () => (await lines()).includes('first'));

    await go('first');
    await service.notified(
      'run',
      ({ nodeRuns, progress }) =>
        progress.finished === 1 && nodeRuns.some(({ nodePath }) => nodePath.at(-1) === 'second'),
    );
    await waitUntil(async () => (await lines()).includes('second'));
    assert.deepEqual(await lines(), ['first', 'over', 'second']);
    await go('second');
    const over = await service.notified('run', ({ run }) => run.status === 'succeeded');
    assert.deepEqual(over.progress, { fraction: 1, finished: 2, total: 2, left: null });
    assert.equal(over.criticalPath.length, 2);
    const ended = await service.notified('runs', ({ changed }) =>
      changed.some(run => run.status === 'succeeded'),
    );
    assert.equal(ended.changed[0]?.runId, runId);
    await service.notified('output', message => message.view === view && message.extent.errors === 1);
    assert.deepEqual(await lines(), ['first', 'over', 'second', 'over']);

    // What was told is together what there is.
    const told = new Map(details.nodeRuns.map(nodeRun => [nodeRun.nodeRunId, nodeRun]));
    for (const message of service.notifications)
      if (message.type === 'run')
        for (const nodeRun of message.nodeRuns) told.set(nodeRun.nodeRunId, nodeRun);
    const now = await service.request('run', { runId });
    assert.deepEqual([...told.values()], now?.nodeRuns);
    await service.request('unfollow', { runId });
  });

  it('cancels a run', async () => {
    const runId = await detached();
    assert.deepEqual(await service.request('cancel', { runId }), { kind: 'requested' });
    await service.notified('runs', ({ changed }) => changed.some(run => run.cancelRequestedAt !== null));
    await service.notified('runs', ({ changed }) => changed.some(run => run.status === 'cancelled'));
  });

  it('finds out that a runner was killed', async () => {
    const runId = await detached();
    const first = `SELECT FROM node_run WHERE run_id = $1 AND node_path = '{slow,first}' AND status = 'running'`;
    await waitUntil(async () => (await project.query(first, [runId])).length === 1);
    await service.request('follow', { runId });
    const [row] = await project.query<{ pid: number }>('SELECT pid FROM run WHERE run_id = $1', [runId]);
    process.kill(row?.pid ?? 0, 'SIGKILL');
    await service.notified('run', ({ run }) => run.status === 'lost');
    const { changed } = await service.notified('runs', message =>
      message.changed.some(run => run.status === 'lost'),
    );
    assert.equal(changed[0]?.runId, runId);
    const details = await service.request('run', { runId });
    assert.equal(details?.nodeRuns.find(({ nodePath }) => nodePath.at(-1) === 'first')?.status, 'lost');
  });

  it('tells two services alike, and of runs that are deleted', async () => {
    await using other = await startService(project.path);
    await other.request('connect', {});
    await Promise.all([go('first'), go('second')]);
    const runId = await detached();
    for (const each of [service, other])
      await each.notified('runs', ({ changed }) => changed.some(run => run.status === 'succeeded'));
    assert.equal((await project.run(['store', 'prune', '--days', '0'])).exitCode, 0);
    for (const each of [service, other]) {
      const { deleted } = await each.notified('runs', message => message.deleted !== undefined);
      assert.deepEqual(deleted, [runId]);
    }
  });

  it('starts runs as an editor does: refusals by exit code and on standard error', async () => {
    const runId = await detached();
    const [run] = (await service.request('runs', {})).runs;
    const again = await project.run(['run', 'slow/first', '--detach', '--trigger', 'editor']);
    assert.deepEqual(
      [again.exitCode, again.stdout, again.stderr],
      [
        2,
        '',
        `millrace: Run ${String(runId)} of "slow" has been at work on the same nodes since ` +
          `${new Date(run?.startedAt ?? 0).toISOString()}. Wait for it, end it with "millrace cancel ${String(runId)}", ` +
          'or start this one beside it with --allow-concurrent.\n',
      ],
    );
    const unknown = await project.run(['run', 'slow/frist', '--detach']);
    assert.deepEqual(
      [unknown.exitCode, unknown.stderr],
      [2, 'millrace: There is no node "slow/frist". Did you mean "slow/first"?\n'],
    );
    const away = await project.run(['run', 'slow', '--detach', '--allow-concurrent'], {
      env: { MILLRACE_STORE_URL: `postgres://ann:secret@127.0.0.1:1/none` },
    });
    assert.deepEqual(
      [away.exitCode, away.stdout, away.stderr],
      [
        3,
        '',
        'millrace: Cannot reach the store: nobody listens on 127.0.0.1:1. ' +
          'Start the Postgres server there, or correct MILLRACE_STORE_URL.\n',
      ],
    );
    await Promise.all([go('first'), go('second')]);
    await service.notified('runs', ({ changed }) => changed.some(one => one.status === 'succeeded'));
    assert.equal(existsSync(join(project.path, 'second.go')), true);
  });
});
