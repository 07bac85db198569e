/** Runs view, lenses, status bar, notifications and welcome content, as text. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { lensTitles } from '../../extension/lenses/lens-titles.ts';
import { runNotification } from '../../extension/notifications/run-notification.ts';
import type { ProjectState } from '../../extension/project/project-state.ts';
import { indexPipelines, noPipelines } from '../../extension/project/pipeline-index.ts';
import { groupByDay, runRow } from '../../extension/runs-view/run-row.ts';
import { runKey, statusBarText } from '../../extension/status-bar/status-bar-text.ts';
import { neverRan, storeProblem, welcomeState, welcomeStore } from '../../extension/welcome/welcome-state.ts';
import type { RunRecord } from '../../runner/records.ts';
import { URL_SETTING } from '../../runner/service/store-address.ts';
import { connectionError } from '../../runner/store/errors.ts';
import { figures, nodeRun, now, projectState, run } from '../support/editor-states.ts';

const failure = {
  nodePath: ['shop', 'load'],
  error: 'load.sql:12:8: ERROR: column "amont" does not exist\nLINE 1',
};

describe('view of runs', () => {
  const rowOf = (record: RunRecord, state?: ProjectState): string => {
    const { icon, label, description, context } = runRow(record, state?.live.get(record.runId), now);
    return `${icon.codicon} ${label} | ${description} | ${context}`;
  };

  it('says how each run did, and why it failed', () => {
    assert.equal(rowOf(run('succeeded')), 'pass 412 shop | 12.0s | run over');
    assert.equal(
      rowOf(run('succeeded', { trigger: 'schedule' })),
      'pass 412 shop | 12.0s, schedule | run over',
    );
    assert.equal(
      rowOf(run('failed', { failure })),
      'error 412 shop | load: column "amont" does not exist | run over failed error',
    );
    assert.equal(rowOf(run('lost')), 'question 412 shop | lost: its runner died | run over failed');
    assert.equal(
      rowOf(run('cancelled', { nodePaths: [['shop', 'load']], resumedFrom: 7 })),
      'circle-slash 412 shop/load | 12.0s, goes on with 7 | run over failed',
    );
    const state = projectState({ live: { run: run('running'), nodeRuns: [] } });
    assert.equal(rowOf(run('running'), state), 'sync~spin 412 shop | 63 % | run running');
    assert.equal(
      rowOf(run('running', { cancelRequestedAt: now })),
      'sync~spin 412 shop | is being cancelled | run running cancelling',
    );
    assert.equal(
      rowOf(run('succeeded', { pipelinePath: [], nodePaths: [['a'], ['b']] })),
      'pass 412 everything (2 nodes) | 12.0s | run over',
    );
  });

  it('is read out with everything said once', () => {
    const said = (record: RunRecord): string => runRow(record, undefined, now).accessibilityLabel;
    assert.equal(said(run('failed')), 'run 412 shop, failed');
    assert.equal(said(run('lost')), 'run 412 shop, lost: its runner died');
    assert.equal(said(run('succeeded')), 'run 412 shop, succeeded, 12.0s');
    assert.equal(
      said(run('failed', { failure })),
      'run 412 shop, failed, load: column "amont" does not exist',
    );
    const failedTask = { nodePath: ['shop', 'failed_orders'], error: 'exit code 1' };
    assert.equal(
      said(run('failed', { failure: failedTask })),
      'run 412 shop, failed, failed_orders: exit code 1',
    );
  });

  it('groups by day of the local calendar', () => {
    const at = (days: number): number => now - days * 86_400_000;
    const runs = [at(0), at(0) - 1000, at(1), at(9), at(400)].map((startedAt, index) =>
      run('succeeded', { startedAt, runId: 9 - index }),
    );
    assert.deepEqual(
      groupByDay(runs, now, 'en-GB').map(
        ({ title, runs: of }) => `${title}: ${of.map(({ runId }) => runId).join(' ')}`,
      ),
      ['Today: 9 8', 'Yesterday: 7', '11 November: 6', '16 October 2025: 5'],
    );
  });
});

describe('lenses', () => {
  const all = { run: true, runWithUpstreams: true, graph: true, lastRun: true };
  const titles = (state: ProjectState, paths: readonly string[][], settings = all): string =>
    lensTitles(state, paths, settings, now)
      .map(({ title }) => title.replaceAll('\u00a0', ' '))
      .join(' | ');

  it('offer what can be done, and tell the last outcome', () => {
    const state = projectState({ history: [figures(nodeRun('shop/load', 'succeeded'))] });
    assert.equal(
      titles(state, [['shop', 'load']]),
      '$(play) Run | $(run-above) Run with upstreams | $(type-hierarchy-sub) DAG | $(pass) 5.0s, 1 m ago',
    );
    assert.equal(titles(state, [['shop', 'extract']]), '$(play) Run | $(type-hierarchy-sub) DAG');
  });

  it('tell elapsed time and offer Stop while the node runs', () => {
    const state = projectState({
      live: { run: run('running'), nodeRuns: [nodeRun('shop/load', 'running', { startedAt: now - 4000 })] },
    });
    assert.equal(
      titles(state, [['shop', 'load']]),
      '$(sync~spin) 4s | $(debug-stop) Stop | $(type-hierarchy-sub) DAG',
    );
  });

  it('stand for all nodes of a line that makes several', () => {
    const state = projectState({
      history: [figures(nodeRun('shop/load', 'succeeded')), figures(nodeRun('shop/report', 'failed'))],
    });
    assert.equal(
      titles(state, [
        ['shop', 'load'],
        ['shop', 'report'],
      ]),
      '$(play) Run (2 nodes) | $(run-above) Run with upstreams | $(type-hierarchy-sub) DAG | $(error) 1 $(pass) 1',
    );
  });

  it('are switched off one by one, and run nothing in a folder that is not trusted', () => {
    const state = projectState({ history: [figures(nodeRun('shop/load', 'succeeded'))] });
    const none = { run: false, runWithUpstreams: false, graph: false, lastRun: false };
    assert.equal(titles(state, [['shop', 'load']], none), '');
    assert.equal(titles(state, [['shop', 'load']], { ...none, lastRun: true }), '$(pass) 5.0s, 1 m ago');
    assert.equal(
      titles({ ...state, trusted: false }, [['shop', 'load']]),
      '$(type-hierarchy-sub) DAG | $(pass) 5.0s, 1 m ago',
    );
  });
});

describe('status bar', () => {
  const textOf = (state: ProjectState, ended: readonly RunRecord[] = [], seen: readonly string[] = []) =>
    statusBarText(
      [state],
      ended.map(each => ({ folder: state.folder, run: each })),
      new Set(seen),
      now,
    )?.text;

  it('says how far the newest run is and how long it will take', () => {
    const state = projectState({ live: { run: run('running'), nodeRuns: [] } });
    assert.equal(textOf(state), '$(sync~spin) shop 1/3 · 0:12 left');
    const unknown = projectState({
      live: {
        run: run('running'),
        nodeRuns: [],
        progress: { fraction: 0, finished: 0, total: 3, left: null },
      },
    });
    assert.equal(textOf(unknown), '$(sync~spin) shop 0/3');
  });

  it('counts down while nothing is told, and says when a run takes longer than those before', () => {
    const state = projectState({ live: { run: run('running'), nodeRuns: [] } });
    const at = (seconds: number) => statusBarText([state], [], new Set(), now + seconds * 1000)?.text;
    assert.equal(at(2), '$(sync~spin) shop 1/3 · 0:10 left');
    assert.equal(at(11.5), '$(sync~spin) shop 1/3 · 0:01 left');
    assert.equal(at(12), '$(sync~spin) shop 1/3 · longer than before');
    assert.equal(at(60), '$(sync~spin) shop 1/3 · longer than before');
  });

  it('keeps a success for a while and a failure until it is seen', () => {
    const state = projectState();
    assert.equal(textOf(state, [run('succeeded')]), '$(pass) shop 12.0s');
    assert.equal(textOf(state, [run('succeeded', { endedAt: now - 31_000 })]), undefined);
    assert.equal(textOf(state, [run('failed', { endedAt: now - 3_600_000 })]), '$(error) shop failed');
    assert.equal(textOf(state, [run('failed')], [runKey(state.folder, 412)]), undefined);
    assert.equal(textOf(state, [run('cancelled')]), undefined);
  });
});

describe('notifications', () => {
  it('tell failures, everything, or nothing', () => {
    const failed = run('failed', { failure });
    assert.deepEqual(runNotification(failed, 'failures'), {
      severity: 'error',
      message: 'shop/load failed: column "amont" does not exist',
      actions: ['showLog', 'rerunFailed'],
    });
    assert.equal(runNotification(failed, 'never'), undefined);
    assert.equal(runNotification(run('succeeded'), 'failures'), undefined);
    assert.equal(runNotification(run('succeeded'), 'all')?.message, 'shop succeeded in 12.0s.');
    assert.equal(runNotification(run('cancelled'), 'failures'), undefined);
    assert.equal(
      runNotification(run('lost'), 'failures')?.message,
      'Run 412 of shop is lost: its runner died before it could finish.',
    );
  });
});

describe('welcome content', () => {
  const empty = (change: Partial<ProjectState>): ProjectState =>
    projectState({ change: { pipelines: noPipelines, ...change } });

  it('knows why there is nothing to show', () => {
    assert.equal(welcomeState([]), 'noFolder');
    assert.equal(welcomeState([empty({})]), 'loading');
    assert.equal(welcomeState([empty({ pipelines: indexPipelines([]) })]), 'noPipelines');
    const broken = indexPipelines([], [{ uri: 'file:///a.pipeline.ts', status: 'failed', pipelines: [] }]);
    assert.equal(welcomeState([empty({ pipelines: broken })]), 'loadErrors');
    assert.equal(welcomeState([empty({ analysis: { kind: 'failed', message: '' } })]), 'analysisFailed');
    assert.equal(welcomeState([empty({ analysis: { kind: 'virtual' } })]), 'virtual');
    assert.equal(welcomeState([projectState(), empty({})]), 'ready');
  });

  it('knows a store that wants another password, where the editor keeps it', () => {
    const target = { address: 'db:5432', user: 'ann', database: 'history' };
    const stateOf = (error: Error, configuredBy: string): ProjectState => {
      const { message, cause } = connectionError(error, { ...target, configuredBy });
      const detail = cause instanceof Error ? cause.message : '';
      return projectState({ change: { store: { kind: 'unreachable', message, detail } } });
    };
    const setting = `the ${URL_SETTING}`;
    const wrong = Object.assign(new Error('password authentication failed for user "ann"'), {
      code: '28P01',
    });
    assert.equal(welcomeStore([stateOf(wrong, setting)]), 'refused');
    assert.equal(welcomeStore([stateOf(wrong, 'MILLRACE_STORE_URL')]), 'unreachable');
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    assert.equal(welcomeStore([stateOf(away, setting)]), 'unreachable');
    const none = stateOf(
      new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
      setting,
    );
    assert.equal(welcomeStore([none]), 'refused');
    assert.equal(storeProblem([none]), 'it asks for a password, and none is given');
  });

  it('says that nothing has run only when that is known', () => {
    const ready = { kind: 'ready', description: '' } as const;
    const none = { runs: [], matching: 0, total: 0, byStatus: {} };
    assert.equal(neverRan([]), false);
    assert.equal(neverRan([projectState({ change: { store: ready } })]), false);
    const nothingRan = projectState({ change: { store: ready, runs: none } });
    assert.equal(neverRan([nothingRan]), true);
    assert.equal(neverRan([nothingRan, projectState()]), false);
    const begun = projectState({ live: { run: run('running'), nodeRuns: [] } });
    assert.equal(neverRan([{ ...begun, store: ready, runs: none }]), false);
  });

  it('tells the reason why the store does not answer', () => {
    const unreachable = projectState({
      change: {
        store: { kind: 'unreachable', message: 'away', detail: 'connect ECONNREFUSED 127.0.0.1:5433\nmore' },
      },
    });
    assert.equal(welcomeStore([projectState(), unreachable]), 'unreachable');
    assert.equal(storeProblem([unreachable]), 'connect ECONNREFUSED 127.0.0.1:5433');
    const broken = projectState({ change: { service: { kind: 'broken', message: 'no Node' } } });
    assert.equal(welcomeStore([broken]), 'broken');
    assert.equal(storeProblem([broken]), 'no Node');
    assert.equal(storeProblem([projectState()]), undefined);
  });
});
