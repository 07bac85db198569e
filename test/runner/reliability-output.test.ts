import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { testProject, type TestProject } from '../support/project.ts';

const splitAt = 64 * 1024;

interface Line {
  readonly message: string;
  readonly isError: boolean;
}

/** What a task has printed, as the store has it: without the line that says what was run. */
async function storedOutput(project: TestProject, id: string): Promise<Line[]> {
  const rows = await project.query<Line & { seq: number; format: string }>(
    `SELECT seq, message, format, is_error AS "isError" FROM node_output JOIN node_run USING (node_run_id)
    WHERE node_path[2] = $1 ORDER BY seq`,
    [id],
  );
  rows.forEach(({ seq }, index) => {
    assert.equal(seq, index + 1);
  });
  return rows
    .filter(({ format }) => format === 'verbatim')
    .map(({ message, isError }) => ({ message, isError }));
}

const out = (message: string): Line => ({ message, isError: false });
const err = (message: string): Line => ({ message, isError: true });

describe('output of any kind is stored', function () {
  it('bytes that are no text, line ends of all kinds, and lines of any length', async () => {
    await using project = await testProject({
      // Each task prints a file, so that what is printed is said once, here.
      'nul.bin': Buffer.from('a\0b\n\0\n'),
      'invalid.bin': Buffer.concat([
        Buffer.from('ok '),
        Buffer.from([0xff, 0xfe, 0x20, 0xe2, 0x82]),
        Buffer.from('\nnext €\n'),
        Buffer.from([0xf0, 0x9f, 0x92]),
      ]),
      'crlf.bin': 'one\r\ntwo\r\n\r\nthree\r',
      'progress.bin': '10%\r50%\r100%\ndone\n',
      'no_newline.bin': 'first\nlast',
      'empty_lines.bin': '\n\n',
      'nothing.bin': '',
      'long.bin': Buffer.alloc(10 * 1024 * 1024, 'abcdefghij'),
      'long_wide.bin': 'ä€😀'.repeat(30_000),
      'work.pipeline.ts': `
        import { Pipeline, RunBash, Task } from 'millrace';
        const work = new Pipeline({ id: 'work' });
        for (const id of ['nul', 'invalid', 'crlf', 'progress', 'no_newline', 'empty_lines', 'nothing', 'long', 'long_wide'])
          work.add(new Task({ id, commands: [new RunBash('cat ' + id + '.bin')] }));
        work.add(new Task({ id: 'only_stderr', commands: [new RunBash('cat no_newline.bin >&2')] }));
        work.add(new Task({ id: 'both', commands: [new RunBash('echo one; echo two >&2')] }));
        export default work;`,
    });
    const { exitCode, stdout, stderr } = await project.run(['run', 'work']);
    assert.equal(exitCode, 0, stdout.slice(-1000) + stderr);

    const stored = (id: string): Promise<Line[]> => storedOutput(project, id);
    assert.deepEqual(await stored('nul'), [out('a\ufffdb'), out('\ufffd')]);
    assert.deepEqual(await stored('invalid'), [out('ok \ufffd\ufffd \ufffd'), out('next €'), out('\ufffd')]);
    assert.deepEqual(await stored('crlf'), ['one', 'two', '', 'three'].map(out));
    assert.deepEqual(await stored('progress'), ['100%', 'done'].map(out));
    assert.deepEqual(await stored('no_newline'), ['first', 'last'].map(out));
    assert.deepEqual(await stored('empty_lines'), ['', ''].map(out));
    assert.deepEqual(await stored('nothing'), []);
    assert.deepEqual(await stored('only_stderr'), ['first', 'last'].map(err));
    assert.deepEqual(
      (await stored('both')).sort((a, b) => Number(a.isError) - Number(b.isError)),
      [out('one'), err('two')],
    );

    const long = await stored('long');
    assert.deepEqual(new Set(long.map(({ message }) => message.length)), new Set([splitAt]));
    assert.equal(long.map(({ message }) => message).join(''), 'abcdefghij'.repeat(1024 * 1024));
    const wide = (await stored('long_wide')).map(({ message }) => message);
    assert.equal(wide.join(''), 'ä€😀'.repeat(30_000));
    for (const [index, message] of wide.entries()) {
      const bytes = Buffer.byteLength(message);
      // As long as they may be; a character is never cut.
      assert.ok(bytes <= splitAt && (bytes > splitAt - 4 || index === wide.length - 1), String(bytes));
    }
  });

  it('a million lines of two tasks at once, in order', async () => {
    const count = 500_000;
    await using project = await testProject({
      'work.pipeline.ts': `
        import { Pipeline, RunBash, Task } from 'millrace';
        const work = new Pipeline({ id: 'work' });
        for (const id of ['a', 'b'])
          work.add(new Task({ id, commands: [new RunBash('seq -f "' + id + ' %.0f" 1 ${String(count)}')] }));
        export default work;`,
    });
    const { exitCode, stdout, stderr } = await project.run(['run', 'work', '--parallel', '2']);
    assert.equal(exitCode, 0, stdout.slice(-1000) + stderr);
    for (const id of ['a', 'b']) {
      const expected = createHash('md5');
      for (let index = 1; index <= count; index++) expected.update(`${id} ${String(index)}\n`);
      const [row] = await project.query<{ hash: string; n: number; last: number }>(
        `SELECT md5(string_agg(message || E'\\n', '' ORDER BY seq)) AS hash, count(*) AS n, max(seq) AS last
        FROM node_output JOIN node_run USING (node_run_id) WHERE node_path[2] = $1 AND format = 'verbatim'`,
        [id],
      );
      // The command itself is the first line.
      assert.deepEqual(row, { hash: expected.digest('hex'), n: count, last: count + 1 });
      const printed = stdout.split('\n').filter(line => line.startsWith(`work / ${id}: ${id} `));
      assert.equal(printed.length, count);
    }
  });
});
