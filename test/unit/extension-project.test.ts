/** The state of a project in the editor, with a puppet for its service: news in orders that seldom happen. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import { Project } from '../../extension/project/project.ts';
import type { RunDetailsRecord, RunRecord } from '../../runner/records.ts';
import type { FromService } from '../../runner/service/protocol.ts';
import { nodeRun, run } from '../support/editor-states.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';

const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

const detailsOf = (record: RunRecord): RunDetailsRecord => ({
  run: record,
  graph: null,
  nodeRuns: [],
  expected: {},
  progress: { fraction: 0, finished: 0, total: 1, left: null },
  criticalPath: [],
});

describe('project in the editor', () => {
  const open: { readonly project: Project; readonly folder: TemporaryFolder }[] = [];

  /**
   * @param begun A run that the service tells of as soon as the store is open.
   * @param onFollow What it says when it is asked to follow that; `answer` is what is waited for.
   */
  async function projectWith(
    begun: RunRecord,
    onFollow: readonly (FromService | { readonly type: 'answer'; readonly result: unknown })[],
  ): Promise<Project> {
    const folder = await temporaryFolder({
      'dist/package.json': '{}',
      'dist/service.js': `
        process.send({ type: 'ready', version: 1, runnerVersion: '0.1.0' });
        process.on('disconnect', () => process.exit());
        const results = {
          connect: { kind: 'ready', description: 'here' },
          figures: [],
          runs: { runs: [], matching: 0, total: 0, byStatus: {} },
          unfollow: null,
        };
        process.on('message', ({ type, method, id }) => {
          if (type === 'shutdown') process.exit();
          else if (method === 'follow')
            for (const said of ${JSON.stringify(onFollow)})
              process.send(said.type === 'answer' ? { type: 'result', id, result: said.result } : said);
          else process.send({ type: 'result', id, result: results[method] });
          if (method === 'follow') require('node:fs').writeFileSync('said', '');
          if (method === 'connect') process.send({ type: 'runs', changed: [${JSON.stringify(begun)}] });
        });`,
    });
    const project = new Project({
      folder: 'file:///project',
      name: 'project',
      directory: folder.path,
      trusted: true,
      launch: () =>
        Promise.resolve({
          execPath: process.execPath,
          dist: join(folder.path, 'dist'),
          env: { PATH: process.env['PATH'] ?? '' },
          options: { version: 1, directory: folder.path, trusted: true },
        }),
      commandLine: () => Promise.reject(new Error('nothing is run here')),
      log: silent,
    });
    open.push({ project, folder });
    return project;
  }

  afterEach(async () => {
    for (const { project, folder } of open.splice(0)) {
      project.dispose();
      await folder[Symbol.asyncDispose]();
    }
  });

  it('calls a run over that ended while it was asked for, whatever the late answer says', async () => {
    const begun = run('running', { trigger: 'cli' });
    const over = run('succeeded', { trigger: 'cli' });
    const project = await projectWith(begun, [
      { type: 'runs', changed: [over] },
      { type: 'answer', result: detailsOf(begun) },
      { type: 'store', state: { kind: 'ready', description: 'later' } },
    ]);
    const ended: string[] = [];
    project.onRunEnded(({ status }) => ended.push(status));
    project.connect();
    await waitUntil(() => {
      const { store } = project.state;
      return store.kind === 'ready' && store.description === 'later';
    });
    assert.notEqual(project.state.live.get(over.runId)?.run.status, 'running');
    assert.deepEqual(ended, ['succeeded']);
  });

  it('knows what is told right behind the answer that it waits for', async () => {
    const begun = run('running', { trigger: 'cli' });
    const nodeRuns = [nodeRun('shop/load', 'running', { runId: begun.runId })];
    const { progress } = detailsOf(begun);
    const project = await projectWith(begun, [
      { type: 'answer', result: detailsOf(begun) },
      { type: 'run', run: begun, nodeRuns, progress, statistics: [], criticalPath: [] },
      { type: 'store', state: { kind: 'ready', description: 'later' } },
    ]);
    project.onNews(({ type }) => {
      if (type !== 'runs') return;
      // It has been asked then; and all that is said finds the editor busy, so that it is read together.
      setImmediate(() => {
        while (!existsSync(join(project.state.directory, 'said')));
      });
    });
    project.connect();
    await waitUntil(() => {
      const { store } = project.state;
      return store.kind === 'ready' && store.description === 'later';
    });
    // The answer is taken up by now, too.
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual([...(project.state.live.get(begun.runId)?.latest.keys() ?? [])], ['shop/load']);
  });
});
