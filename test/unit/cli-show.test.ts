/** The picture of a run in a terminal. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { drawRun } from '../../runner/cli/show-command.ts';
import type { NodeRun, RunDetails } from '../../runner/store/history.ts';

const at = new Date(2026, 2, 1, 6);
const nodeRun: NodeRun = {
  runId: 1,
  nodeRunId: 1,
  nodePath: ['shop', 'load_the_orders_of_yesterday'],
  kind: 'task',
  attempt: 1,
  status: 'failed',
  startedAt: at,
  endedAt: new Date(at.getTime() + 2000),
  cost: 0,
  rowsProcessed: null,
  exitCode: 3,
  error: 'exit code 3: the file orders.csv has no rows, which has never happened before',
  reason: null,
};
const run = {
  nodeRuns: [nodeRun, { ...nodeRun, nodePath: ['shop', 'b'], status: 'succeeded', error: null }],
};

function tableAt(width: number): string[] {
  const lines = drawRun({ ...details, ...run } as RunDetails, {
    now: at.getTime(),
    width,
    style: (_, text) => text,
  });
  return lines.slice(lines.indexOf('') + 1);
}
const details: Omit<RunDetails, 'nodeRuns'> = {
  runId: 1,
  pipelinePath: ['shop'],
  nodePaths: [],
  withUpstreams: false,
  params: {},
  status: 'failed',
  startedAt: at,
  endedAt: at,
  trigger: 'cli',
  startedBy: 'ann',
  host: 'box',
  pid: 1,
  codeVersion: null,
  runnerVersion: '0.1.0',
  resumedFrom: null,
  cancelRequestedAt: null,
  failure: null,
  graph: null,
  counts: { running: 0, succeeded: 1, failed: 1, skipped: 0, cancelled: 0, unchanged: 0, lost: 0 },
};

describe('millrace show', () => {
  const wide = 'node                               status       attempt  duration  rows  exit';
  it('has reasons beside the nodes where there is room', () => {
    assert.deepEqual(tableAt(Infinity), [
      `${wide}  why`,
      'shop/load_the_orders_of_yesterday  ✗ failed           1      2.0s           3  exit code 3: the file orders.csv has no rows, which has never happened before',
      'shop/b                             ✓ succeeded        1      2.0s           3',
    ]);
  });

  it('has them on lines of their own where there is none', () => {
    assert.deepEqual(tableAt(60), [
      wide,
      'shop/load_the_orders_of_yesterday  ✗ failed           1      2.0s           3',
      '  exit code 3: the file orders.csv has no rows, which has n…',
      'shop/b                             ✓ succeeded        1      2.0s           3',
    ]);
  });
});
