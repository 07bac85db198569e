/** What the Pipelines view shows, as text. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { findNode, type IndexedNode } from '../../extension/project/pipeline-index.ts';
import {
  mayBeActive,
  nodeStatus,
  type ProjectState,
  runOf,
  unresolvedFailures,
} from '../../extension/project/project-state.ts';
import { escapeMarkdown, nodeRow } from '../../extension/tree/node-row.ts';
import { isShown, shownChildren } from '../../extension/tree/tree-filter.ts';
import { editorNode, figures, nodeRun, now, projectState, run, shop } from '../support/editor-states.ts';

function treeOf(state: ProjectState): string[] {
  const lines: string[] = [];
  const add = (indexed: IndexedNode, depth: number): void => {
    const { icon, label, description } = nodeRow(state, indexed, now);
    lines.push(`${'  '.repeat(depth)}${icon.codicon} ${label} ${description}`.trimEnd());
    for (const child of indexed.children) add(child, depth + 1);
  };
  for (const root of state.pipelines.roots) add(root, 0);
  return lines;
}

function contextOf(state: ProjectState, path: string): string {
  const indexed = findNode(state.pipelines, path.split('/'));
  assert.ok(indexed);
  return nodeRow(state, indexed, now).context;
}

describe('tree of pipelines', () => {
  it('shows kinds where nothing ever ran', () => {
    assert.deepEqual(treeOf(projectState()), [
      'type-hierarchy-sub shop',
      '  terminal extract',
      '  terminal load',
      '  terminal report',
    ]);
  });

  it('shows last outcomes with duration and age', () => {
    const state = projectState({
      history: [
        figures(nodeRun('shop', 'failed', { kind: 'pipeline' })),
        figures(nodeRun('shop/extract', 'succeeded')),
        figures(nodeRun('shop/load', 'failed', { error: 'load.sql:1:1: ERROR: no' })),
        figures(nodeRun('shop/report', 'skipped', { startedAt: null, endedAt: null })),
      ],
    });
    assert.deepEqual(treeOf(state), [
      'error shop failed, 1 m ago',
      '  pass extract 5.0s, 1 m ago',
      '  error load failed, 1 m ago',
      '  debug-step-over report skipped',
    ]);
    assert.equal(unresolvedFailures(state), 1);
    assert.equal(contextOf(state, 'shop/load'), 'node task upstreams refailed ran');
  });

  it('shows a run that goes on: progress, elapsed time, attempts, what is queued', () => {
    const state = projectState({
      history: [figures(nodeRun('shop/load', 'failed'))],
      live: {
        run: run('running', { runId: 2 }),
        nodeRuns: [
          nodeRun('shop/extract', 'succeeded', { nodeRunId: 10, runId: 2 }),
          nodeRun('shop/load', 'running', { nodeRunId: 12, runId: 2, attempt: 2, startedAt: now - 48_000 }),
        ],
      },
    });
    assert.deepEqual(treeOf(state), [
      'sync~spin shop 63 %',
      '  pass extract 5.0s',
      '  sync~spin load 48s, attempt 2',
      '  circle-large-outline report queued',
    ]);
    assert.equal(contextOf(state, 'shop/load'), 'node task upstreams running ran');
    assert.equal(runOf(state, ['shop', 'report']), 2);
  });

  it('is read out with everything said once', () => {
    const state = projectState({
      history: [
        figures(nodeRun('shop/extract', 'succeeded')),
        figures(nodeRun('shop/load', 'failed', { endedAt: now })),
      ],
    });
    assert.deepEqual(
      ['extract', 'load', 'report'].map(id => {
        const indexed = findNode(state.pipelines, ['shop', id]);
        assert.ok(indexed);
        return nodeRow(state, indexed, now).accessibilityLabel;
      }),
      ['extract, task, succeeded, 5.0s, 1 m ago', 'load, task, failed, just now', 'report, task'],
    );
  });

  it('shows nodes as queued as soon as they are asked for', () => {
    const requested = [{ key: 1, pipelinePath: ['shop'], nodePaths: [['shop', 'load']] }];
    assert.deepEqual(treeOf(projectState({ change: { requested } })), [
      'type-hierarchy-sub shop',
      '  terminal extract',
      '  circle-large-outline load queued',
      '  terminal report',
    ]);
  });

  it('counts a failure as resolved when the task succeeds later', () => {
    const state = projectState({
      history: [
        figures(nodeRun('shop', 'failed', { kind: 'pipeline' })),
        figures(nodeRun('shop/load', 'succeeded', { nodeRunId: 5, runId: 2 })),
      ],
    });
    assert.equal(unresolvedFailures(state), 0);
    assert.equal(treeOf(state)[0], 'pass shop 5.0s, 1 m ago');
  });

  it('counts a failure as unresolved when only something else has succeeded since', () => {
    const state = projectState({
      history: [
        figures(nodeRun('shop', 'succeeded', { kind: 'pipeline', nodeRunId: 9, runId: 2 })),
        figures(nodeRun('shop/load', 'failed')),
        figures(nodeRun('shop/report', 'succeeded', { nodeRunId: 8, runId: 2 })),
      ],
    });
    assert.equal(unresolvedFailures(state), 1);
    assert.equal(treeOf(state)[0], 'error shop failed');
  });

  it('counts the sub-tasks of a parallel task', () => {
    const state = projectState({
      nodes: [editorNode('shop', { nodes: [editorNode('read', { kind: 'parallel', commands: null })] })],
      live: {
        run: run('running', { runId: 2 }),
        nodeRuns: [
          nodeRun('shop/read', 'running', {
            kind: 'parallel',
            nodeRunId: 3,
            runId: 2,
            startedAt: now - 9000,
          }),
          nodeRun('shop/read/a', 'succeeded', { nodeRunId: 4, runId: 2 }),
          nodeRun('shop/read/b', 'succeeded', { nodeRunId: 5, runId: 2 }),
          nodeRun('shop/read/c', 'running', { nodeRunId: 6, runId: 2 }),
        ],
      },
    });
    assert.equal(treeOf(state)[1], '  sync~spin read 2 done, 9s');
  });

  it('calls lost what history still calls running without a run', () => {
    const state = projectState({ history: [figures(nodeRun('shop/load', 'running'))] });
    const status = nodeStatus(state, ['shop', 'load']);
    assert.equal(status.kind === 'ended' && status.outcome, 'lost');
  });

  it('calls nothing lost between the end of a run and what is read of its last nodes', () => {
    const ended = (status: 'failed' | 'lost') =>
      nodeStatus(
        projectState({
          live: {
            run: run(status, { runId: 2 }),
            nodeRuns: [nodeRun('shop/load', 'running', { nodeRunId: 3, runId: 2 })],
          },
        }),
        ['shop', 'load'],
      );
    assert.equal(ended('failed').kind, 'running');
    const lost = ended('lost');
    assert.equal(lost.kind === 'ended' && lost.outcome, 'lost');
  });

  it('says why a node is not known', () => {
    const dynamic = editorNode('…', { kind: 'dynamic', reason: 'The list is read from a file' });
    const state = projectState({ nodes: [editorNode('shop', { nodes: [dynamic] })] });
    assert.equal(treeOf(state)[1], '  ellipsis … The list is read from a file');
    assert.equal(contextOf(state, 'shop/…'), 'dynamic');
  });

  it('knows which nodes history alone says everything about', () => {
    const nodes = [shop, editorNode('other', { nodes: [editorNode('x')] })];
    const idle = projectState({ nodes });
    assert.equal(mayBeActive(idle, ['shop', 'load']), false);
    const live = projectState({
      nodes,
      live: { run: run('running'), nodeRuns: [nodeRun('other/x', 'running', { runId: 412 })] },
    });
    for (const path of [['shop'], ['shop', 'load'], ['other', 'x']]) assert.ok(mayBeActive(live, path));
    const ofShop = projectState({ nodes, live: { run: run('running'), nodeRuns: [] } });
    assert.equal(mayBeActive(ofShop, ['other', 'x']), false);
    const asked = (pipelinePath: string[], nodePaths: string[][] = []): ProjectState =>
      projectState({ nodes, change: { requested: [{ key: 1, pipelinePath, nodePaths }] } });
    assert.ok(mayBeActive(asked(['other']), ['other', 'x']));
    assert.equal(mayBeActive(asked([], [['shop', 'load']]), ['other', 'x']), false);
    assert.ok(mayBeActive(asked([]), ['other', 'x']), 'everything runs');
  });

  it('filters by state, with what leads to a node', () => {
    const state = projectState({ history: [figures(nodeRun('shop/load', 'failed'))] });
    const filter = new Set(['failed'] as const);
    const [root] = shownChildren(state, undefined, filter);
    assert.ok(root);
    assert.deepEqual(
      shownChildren(state, root, filter).map(({ node }) => node.id),
      ['load'],
    );
    assert.equal(isShown(projectState(), root, filter), false);
  });

  it('tells everything about a node in its tooltip, and nothing in it is Markdown', () => {
    const state = projectState({
      nodes: [{ ...shop, description: '<img src=x onerror=alert(1)> [click](command:evil)' }],
      history: [
        figures(nodeRun('shop', 'failed', { kind: 'pipeline', error: 'line one\n```\nline two' }), {
          recent: [
            { runId: 1, at: 0, duration: 4, status: 'succeeded' },
            { runId: 2, at: 0, duration: 5, status: 'failed' },
          ],
        }),
        figures(nodeRun('shop/load', 'failed')),
      ],
    });
    const indexed = findNode(state.pipelines, ['shop']);
    assert.ok(indexed);
    assert.equal(
      nodeRow(state, indexed, now).tooltip,
      [
        '**shop** · pipeline',
        '\\<img src=x onerror=alert\\(1\\)\\> \\[click\\]\\(command\\:evil\\)',
        'average duration 4.1s · average run time 4.1s · cost 6.0s',
        'Last run: failed, 1 m ago (run 1)',
        '````text\nline one\n```\nline two\n````',
        'Runs before: 4.0s → failed',
      ].join('\n\n'),
    );
    assert.equal(escapeMarkdown('a\n\n# b'), 'a \\# b');
  });
});
