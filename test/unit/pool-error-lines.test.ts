/** Which line of a program's standard error says why it failed. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { ErrorLines } from '../../runner/pool/error-lines.ts';

function reasonOf(...said: string[]): string | undefined {
  const lines = new ErrorLines();
  for (const text of said) lines.add(text);
  return lines.reason;
}

describe('pool: why a program failed', () => {
  const cases: Record<string, [said: string, reason: string]> = {
    'of Python, the exception': [
      'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    raise ValueError("no such error")\nValueError: 3 rows\n',
      'ValueError: 3 rows',
    ],
    'of Node, the error, not its frames or the version': [
      "file:///a.mjs:1\nthrow new Error('boom');\n      ^\n\nError: boom\n    at file:///a.mjs:1:7\n    at ModuleJob.run (node:internal/error:1:2)\n\nNode.js v24.1.0",
      'Error: boom',
    ],
    'of psql, the message, not the statement that it shows': [
      'psql:a.sql:2: ERROR:  column "error" does not exist\nLINE 1: select error from failed;\n               ^',
      'psql:a.sql:2: ERROR:  column "error" does not exist',
    ],
    'of bash': ['bash: line 1: flurb: command not found', 'bash: line 1: flurb: command not found'],
    'of curl, not its progress': [
      '  % Total    % Received\n  0     0    0\ncurl: (22) The requested URL returned error: 502',
      'curl: (22) The requested URL returned error: 502',
    ],
    'the last words, when none looks like an error': ['reading\nstill reading\n---\n', 'still reading'],
    'an indented line, when there is no other': ['  went away\n', 'went away'],
    'without colours': ['\u001b[31mERROR\u001b[0m: no', 'ERROR: no'],
  };
  for (const [name, [said, reason]] of Object.entries(cases))
    it(name, () => {
      assert.equal(reasonOf(said), reason);
    });

  it('nothing, when nothing was said', () => {
    assert.equal(reasonOf(), undefined);
    assert.equal(reasonOf('', '\n', ' ^ \n---'), undefined);
  });

  it('long lines are cut', () => {
    assert.equal(reasonOf(`error ${'x'.repeat(1000)}`), `error ${'x'.repeat(294)}…`);
  });

  it('only the last lines count, however they came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.constantFrom('', 'a', 'error b', ' c', 'd'), { minLength: 1 })),
        batches => {
          const lines = batches.flat();
          const one = reasonOf(...(lines.length === 0 ? [] : [lines.join('\n')]));
          assert.equal(reasonOf(...batches.map(batch => batch.join('\n'))), one);
          assert.equal(reasonOf(lines.slice(-40).join('\n')), one);
        },
      ),
    );
    assert.equal(reasonOf(`an error\n${'a line\n'.repeat(1_000_000)}last`), 'last');
  });
});
