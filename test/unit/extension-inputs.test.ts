/** What enters the extension: errors, addresses, messages of pages, revisions of pipelines, parameters, arguments. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { configurationText } from '../../extension/configuration/configuration-text.ts';
import { namedPlace, namesOfFile, underlined } from '../../extension/diagnostics/failure-places.ts';
import { fillIn } from '../../extension/l10n.ts';
import type { PipelinesMessage } from '../../extension/language/protocol.ts';
import { outputAddress, outputUriParts } from '../../extension/output-documents/output-address.ts';
import { cutNotice, outputLines } from '../../extension/output-documents/output-text.ts';
import { nodeView } from '../../extension/panels/node-view.ts';
import { contentSecurityPolicy, pageHtml } from '../../extension/panels/page-html.ts';
import { pageMessage, pageSubject } from '../../extension/panels/page-message.ts';
import { parameterProblem, parametersOf } from '../../extension/parameters/parameter-input.ts';
import {
  allNodes,
  findNode,
  indexPipelines,
  type PipelineIndex,
  PipelinesInbox,
} from '../../extension/project/pipeline-index.ts';
import { processEnvironment, withPassword } from '../../extension/runner/environment.ts';
import { readGraph } from '../../extension/runner/graph-loader.ts';
import { requestAgain, requestFor, runArguments } from '../../extension/runner/run-arguments.ts';
import { editorNode, now, projectState, run, shop } from '../support/editor-states.ts';

describe('places of failures', () => {
  it('are found in the words of the runner', () => {
    const error = 'shop/load.sql:12:8: ERROR: column "a" does not exist\n  SELECT a\n         ^\nHINT: b';
    assert.deepEqual(namedPlace(error), {
      file: 'shop/load.sql',
      line: 12,
      column: 8,
      message: 'column "a" does not exist\nHINT: b',
    });
    assert.equal(namedPlace('TypeError: x is not a function')?.file, undefined);
    assert.equal(namedPlace('curl: (7) failed'), undefined);
    assert.equal(namedPlace('C:\\shop\\load.sql:1:2: ERROR: no')?.file, 'C:\\shop\\load.sql');
  });

  it('never make trouble, whatever the error says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const place = namedPlace(text);
        assert.ok(place === undefined || place.line >= 0);
      }),
    );
  });

  it('underline the id, or the beginning of what makes a node', () => {
    const lines = ['p.add(new Task({', "  id: 'load',", '}));', 'p.add(new Task({ id: `load_${x}` }));'];
    const location = { file: 'f', line: 1, column: 7, endLine: 3, endColumn: 3 };
    assert.deepEqual(underlined(lines, location, 'load'), {
      startLine: 1,
      startColumn: 6,
      endLine: 1,
      endColumn: 12,
    });
    assert.deepEqual(underlined(lines, { file: 'f', line: 4, column: 7 }, 'load_de'), {
      startLine: 3,
      startColumn: 6,
      endLine: 3,
      endColumn: 14,
    });
    // The file is gone.
    assert.deepEqual(underlined([], location, 'load'), {
      startLine: 0,
      startColumn: 6,
      endLine: 0,
      endColumn: 7,
    });
  });

  it('are looked for under shorter names when a run began elsewhere', () => {
    assert.deepEqual(namesOfFile('../shop/sql/a.sql'), ['shop/sql/a.sql', 'sql/a.sql', 'a.sql']);
  });
});

describe('messages of pages', () => {
  it('are taken when they are exactly what the protocol says', () => {
    const good = [
      { type: 'ready', subject: null },
      { type: 'ready', subject: { page: 'run', folder: 'file:///p', runId: 4, path: ['a'] } },
      { type: 'request', id: 1, method: 'node', params: { path: ['a'] } },
      { type: 'request', id: 2, method: 'readOutput', params: { view: 1, from: 0, count: 100 } },
      { type: 'action', action: { kind: 'run', paths: [['a']], withUpstreams: false } },
      { type: 'fault', message: 'x' },
    ];
    for (const message of good) assert.deepEqual(pageMessage(message), message);
  });

  it('are refused otherwise', () => {
    const bad: unknown[] = [
      null,
      'ready',
      [],
      { type: 'ready' },
      { type: 'request', id: 1, method: 'cancel', params: { runId: 1 } },
      { type: 'request', id: 1, method: 'configuration', params: {} },
      { type: 'request', id: 1, method: 'toString', params: {} },
      { type: 'request', id: 1, method: '__proto__', params: {} },
      { type: 'request', id: 1, method: 'run', params: { runId: '1; drop table' } },
      { type: 'request', id: 1, method: 'readOutput', params: { view: 1, from: 0, count: 1e9 } },
      { type: 'request', id: 1, method: 'node', params: { path: 'a' } },
      { type: 'action', action: { kind: 'run', paths: [['a']], withUpstreams: false, nodePath: '/bin/sh' } },
      { type: 'action', action: { kind: 'executeCommand', command: 'workbench.action.quit' } },
    ];
    for (const message of bad) assert.equal(pageMessage(message), undefined, JSON.stringify(message));
    fc.assert(
      fc.property(fc.anything(), value => {
        pageMessage(value);
        pageSubject(value);
      }),
    );
  });
});

describe('documents of pages', () => {
  const options = {
    title: '<img onerror=x>"',
    language: 'en',
    base: 'https://x/webview',
    cspSource: 'https://x',
    nonce: 'N',
  };

  it('have a strict policy; only the one with Mermaid may have styles in its text', () => {
    assert.equal(
      contentSecurityPolicy({ ...options, page: 'run' }),
      "default-src 'none'; script-src 'nonce-N'; style-src https://x; font-src https://x; img-src https://x data:",
    );
    assert.equal(
      contentSecurityPolicy({ ...options, page: 'node' }),
      "default-src 'none'; script-src 'nonce-N'; style-src https://x 'unsafe-inline'; font-src https://x; img-src https://x data:",
    );
  });

  it('hold nothing of the project but an escaped title', () => {
    const html = pageHtml({ ...options, page: 'run' });
    assert.ok(html.includes('<title>&#60;img onerror=x&#62;&#34;</title>'));
    assert.ok(html.includes('src="https://x/webview/run-page.js"'));
  });

  it('show a node with its neighbours, or that it is gone', () => {
    const view = nodeView(projectState(), ['shop', 'load']);
    assert.deepEqual(
      { ancestors: view?.ancestors, up: view?.upstreams, down: view?.downstreams, path: view?.node.path },
      {
        ancestors: [['shop']],
        up: [{ path: ['shop', 'extract'], kind: 'task', description: '' }],
        down: [{ path: ['shop', 'report'], kind: 'task', description: 'Sums it up' }],
        path: ['shop', 'load'],
      },
    );
    assert.equal(nodeView(projectState(), ['shop', 'gone']), null);
    assert.deepEqual(
      nodeView(projectState(), [])?.node.nodes.map(({ id }) => id),
      ['shop'],
    );
  });
});

describe('revisions of pipelines', () => {
  const message = (revision: number, more: Partial<PipelinesMessage>): PipelinesMessage => ({
    folder: 'file:///project',
    directory: '/project',
    revision,
    changed: [],
    parts: [],
    removed: [],
    last: true,
    complete: true,
    order: [],
    files: [],
    databases: null,
    ...more,
  });

  const pathsOf = (index: PipelineIndex | undefined): string[] =>
    index === undefined ? [] : [...allNodes(index)].map(({ path }) => path.join('/'));

  it('are put together out of their messages', () => {
    const inbox = new PipelinesInbox();
    const first = editorNode('a', { kind: 'pipeline', nodes: [editorNode('x')] });
    assert.equal(inbox.take(message(1, { changed: [first], last: false })), undefined);
    const index = inbox.take(
      message(1, {
        parts: [{ path: ['a'], nodes: [editorNode('y')] }],
        changed: [editorNode('b')],
        order: ['b', 'a'],
      }),
    );
    assert.deepEqual(pathsOf(index), ['b', 'a', 'a/x', 'a/y']);
    const next = inbox.take(message(2, { removed: ['b'], order: ['a'] }));
    assert.deepEqual(pathsOf(next), ['a', 'a/x', 'a/y']);
    assert.equal(next?.roots[0], index?.roots[1], 'what has not changed is the same');
    assert.deepEqual(next && findNode(next, ['a', 'y'])?.parent, next?.roots[0]);
    assert.equal(next && findNode(next, ['a', 'z']), undefined);
    assert.equal(next && findNode(next, []), undefined);
    // What was given out before stays as it was.
    assert.deepEqual(pathsOf(index), ['b', 'a', 'a/x', 'a/y']);
  });

  it('begin anew with a server that was started again', () => {
    const inbox = new PipelinesInbox();
    inbox.take(message(5, { changed: [editorNode('old')], order: ['old'] }));
    const index = inbox.take(message(1, { changed: [editorNode('new')], order: ['new'] }));
    assert.deepEqual(pathsOf(index), ['new']);
  });
});

describe('runs that are asked for', () => {
  it('become arguments of the command line', () => {
    const argumentsFor = (paths: readonly string[][], withUpstreams = false): string =>
      runArguments({ kind: 'run', request: requestFor(paths, withUpstreams) }).join(' ');
    assert.equal(argumentsFor([]), 'run --trigger editor');
    assert.equal(argumentsFor([['shop']]), 'run shop --trigger editor');
    assert.equal(argumentsFor([['shop', 'load']], true), 'run shop/load --with-upstreams --trigger editor');
    assert.equal(
      argumentsFor([
        ['shop', 'a', 'x'],
        ['shop', 'b'],
        ['shop', 'a'],
      ]),
      'run shop --nodes b,a --trigger editor',
    );
    assert.equal(
      argumentsFor([
        ['shop', 'a'],
        ['other', 'b'],
      ]),
      'run --nodes shop/a,other/b --trigger editor',
    );
    assert.equal(
      runArguments({
        kind: 'run',
        request: requestAgain(
          run('failed', { nodePaths: [['shop', 'load']], params: { since: '2026-01-01' } }),
        ),
      }).join(' '),
      'run shop --nodes load --param since=2026-01-01 --trigger editor',
    );
    assert.equal(runArguments({ kind: 'resume', runId: 7 }).join(' '), 'run --resume 7 --trigger editor');
  });

  it('run nothing twice: what lies below another node is left out', () => {
    const id = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(fc.array(fc.array(id, { minLength: 1, maxLength: 3 }), { minLength: 1 }), paths => {
        const { path, nodePaths } = requestFor(paths, false);
        const selected = nodePaths.length === 0 ? [path] : nodePaths;
        const below = (inner: readonly string[], outer: readonly string[]): boolean =>
          outer.every((each, index) => inner[index] === each);
        for (const each of paths) assert.equal(selected.filter(outer => below(each, outer)).length, 1);
        for (const each of selected) assert.ok(below(each, path) && each.length > 0);
      }),
    );
  });

  it('ask for the parameters of pipelines around and in them', () => {
    const index = indexPipelines([
      { ...shop, params: { since: { type: 'date' }, limit: { type: 'number', default: 5 } } },
      editorNode('other', { kind: 'pipeline', params: { x: { type: 'string' } } }),
    ]);
    const names = (paths: readonly string[][]): string[] =>
      parametersOf(index, paths).map(({ name }) => name);
    assert.deepEqual(names([['shop', 'load']]), ['since', 'limit']);
    assert.deepEqual(names([['other']]), ['x']);
    assert.deepEqual(names([[]]).sort(), ['limit', 'since', 'x']);
  });

  it('check parameters as they are typed', () => {
    const problem = (type: 'string' | 'number' | 'boolean' | 'date', text: string) =>
      parameterProblem({ name: 'p', definition: { type } }, text);
    assert.equal(problem('date', '2026-02-29'), 'Give a date as YYYY-MM-DD.');
    assert.equal(problem('date', '2024-02-29'), undefined);
    assert.equal(problem('number', ''), 'Give a number.');
    assert.equal(problem('number', '1e3'), undefined);
    assert.equal(problem('boolean', 'yes'), 'Give true or false.');
    assert.equal(problem('string', ''), undefined);
  });
});

describe('processes', () => {
  it('get the environment of the user, not that of the editor', () => {
    const environment = processEnvironment(
      {
        PATH: '/bin',
        VSCODE_PID: '1',
        ELECTRON_NO_ASAR: '1',
        NODE_OPTIONS: '--require x',
        NODE_CHANNEL_FD: '3',
      },
      'postgres://u@h/d',
    );
    assert.deepEqual(environment, {
      PATH: '/bin',
      MILLRACE_STORE_URL: 'postgres://u@h/d',
      ELECTRON_RUN_AS_NODE: '1',
    });
    assert.equal(processEnvironment({ MILLRACE_STORE_URL: 'own' }, 'setting')['MILLRACE_STORE_URL'], 'own');
  });

  it('get the password in the address, unless it has one', () => {
    assert.equal(withPassword('postgres://u@h:5432/d', 'p@ss/1'), 'postgres://u:p%40ss%2F1@h:5432/d');
    assert.equal(withPassword('postgres://u:own@h/d', 'other'), 'postgres://u:own@h/d');
    assert.equal(withPassword('postgres://h/d', 'x'), 'postgres://h/d');
    assert.equal(withPassword('postgres://u@h/d', undefined), 'postgres://u@h/d');
  });

  it('tell what they could load of a graph, and what not', () => {
    const printed = `${JSON.stringify({ root: { id: '', nodes: [{}] } }, null, 2)}\n`;
    assert.deepEqual(readGraph(printed, 'millrace: a.pipeline.ts:1:1: error: no\n'), {
      text: printed,
      errors: ['a.pipeline.ts:1:1: error: no'],
    });
    assert.deepEqual(readGraph('', 'millrace: no\n'), { text: '', errors: ['no'] });
    // What is no error of the project, unless there is nothing else that could be one.
    const noise = 'printed by a file\nmillrace: a.pipeline.ts:2:1: warning: hm\n(node:1) Warning: old\n';
    assert.deepEqual(readGraph(printed, noise), { text: printed, errors: [] });
    assert.deepEqual(readGraph('', 'out of memory\n'), { text: '', errors: ['out of memory'] });
    for (let end = 1; end < printed.trimEnd().length; end += 1)
      assert.deepEqual(readGraph(printed.slice(0, end), ''), {
        text: '',
        errors: ['The graph is not complete: the runner ended while it printed it.'],
      });
  });
});

describe('output as documents', () => {
  it('have addresses that lead back', () => {
    const address = { folder: 'file:///p', query: { runId: 4, path: ['a', 'b'], nodeRunId: 9 } };
    const parts = outputUriParts(address);
    assert.equal(parts.path, '/run-4/a/b-9.log');
    assert.deepEqual(outputAddress(parts.query), address);
    for (const query of ['', '{', 'null', '{"folder":1}']) assert.equal(outputAddress(query), undefined);
  });

  it('are plain text with times, paths and a mark at errors', () => {
    const record = { nodeRunId: 1, attempt: 1, seq: 1, at: now, format: 'verbatim' } as const;
    const records = [
      { ...record, nodePath: ['a'], isError: false, message: '\u001b[31mred\u001b[0m' },
      { ...record, nodePath: ['a', 'b'], isError: true, message: 'no\rgood' },
    ];
    assert.equal(outputLines(records, true), '12:00:00 a   red\n12:00:00 a/b ! no good\n');
    assert.equal(outputLines(records, false), '12:00:00   red\n12:00:00 ! no good\n');
    assert.equal(cutNotice({ lines: 10, errors: 0, complete: true }, 0), '');
    assert.equal(
      cutNotice({ lines: 250_000, errors: 0, complete: true }, 150_000),
      'The last 100000 of 250000 lines; the page of the run shows all of them.\n\n',
    );
  });
});

describe('effective configuration', () => {
  it('lists every value with its origin, and never a password', () => {
    const text = configurationText({
      name: 'shop',
      directory: '/shop',
      store: 'embedded',
      runtime: 'Node.js 24',
      records: [{ key: 'retentionDays', value: '30', origin: 'default' }],
      settings: [{ key: 'millrace.store.url', value: 'postgres://u:secret@h/d', origin: 'workspace' }],
    });
    assert.ok(text.includes('retentionDays  30     default'));
    assert.ok(text.includes('millrace.store.url  postgres://u:***@h/d  workspace settings'));
    assert.ok(!text.includes('secret'));
  });
});

describe('texts', () => {
  it('are filled in by number', () => {
    assert.equal(fillIn('{1} of {0}{2}', 'a', 2), '2 of a{2}');
  });
});
