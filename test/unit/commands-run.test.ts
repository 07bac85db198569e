import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunBash, RunFunction, RunProcess, RunScript } from '../../runner/commands/index.ts';
import { messageOf, testContext } from '../support/commands.ts';
import { temporaryFolder } from '../support/temp.ts';

describe('running commands', () => {
  it('runs a shell command with pipefail, in a directory, with an environment', async () => {
    await using folder = await temporaryFolder({ 'sub/a.txt': '' });
    const command = new RunBash({ command: 'ls; echo $GREETING', cwd: 'sub', env: { GREETING: 'hello' } });
    const context = testContext(command, { basePath: folder.path });
    await command.run(context);
    assert.deepEqual(context.lines, ['> ls; echo $GREETING', 'a.txt', 'hello']);
    const failing = new RunBash('false | cat');
    assert.equal(
      await messageOf(() => failing.run(testContext(failing, { basePath: folder.path }))),
      'exit code 1',
    );
  });

  it('names the directory that is missing', async () => {
    await using folder = await temporaryFolder();
    const command = new RunBash({ command: 'ls', cwd: 'gone' });
    assert.equal(
      await messageOf(() => command.run(testContext(command, { basePath: folder.path }))),
      `Task "shop/load": there is no directory ${folder.path}/gone to run in ("gone" is relative to the base path of pipeline "shop").`,
    );
  });

  it('runs a program without a shell', async () => {
    await using folder = await temporaryFolder();
    const command = new RunProcess({ command: 'cat', args: ['-'], input: '$HOME *' });
    const context = testContext(command, { basePath: folder.path });
    await command.run(context);
    assert.deepEqual(context.lines, ['> cat -', '$HOME *']);
    const failing = new RunProcess({ command: 'false' });
    assert.equal(
      await messageOf(() => failing.run(testContext(failing, { basePath: folder.path }))),
      'false: exit code 1',
    );
  });

  it('calls a function with the context and its arguments', async () => {
    const seen: unknown[] = [];
    const command = new RunFunction({
      fn(context, name: string, count: number) {
        seen.push(context.basePath, name, count);
      },
      args: ['a', 2],
    });
    const context = testContext(command, { basePath: '/' });
    assert.equal(await command.run(context), undefined);
    assert.deepEqual(seen, ['/', 'a', 2]);
    assert.deepEqual(context.lines, ['> fn("a", 2)']);
  });

  it('takes false and a throw for failure, and nothing else', async () => {
    const result = async (returned: unknown): Promise<unknown> => {
      const command = new RunFunction(() => Promise.resolve(returned as boolean));
      return await command.run(testContext(command, { basePath: '/' }));
    };
    assert.equal(await result(false), false);
    for (const value of [undefined, true, null, 0, '']) assert.equal(await result(value), undefined);
    const throwing = new RunFunction(() => Promise.reject(new Error('broken')));
    assert.equal(await messageOf(() => throwing.run(testContext(throwing, { basePath: '/' }))), 'broken');
  });

  it('runs scripts with what their names tell', async () => {
    await using folder = await temporaryFolder({
      'a.sh': 'echo "sh $1"; pwd',
      'b.py': 'import sys\nprint("py", sys.argv[1])',
      'c.ts': 'enum Kind { A = "ts" }\nconsole.log(Kind.A, process.argv[2] as string)',
      'd.sh': 'exit 3',
    });
    for (const [file, output] of [
      ['a.sh', ['> bash a.sh x', 'sh x', folder.path]],
      ['b.py', ['> python3 b.py x', 'py x']],
      ['c.ts', ['> node c.ts x', 'ts x']],
    ] as const) {
      const command = new RunScript({ file, args: ['x'] });
      const context = testContext(command, { basePath: folder.path });
      await command.run(context);
      assert.deepEqual(context.lines, output);
    }
    const failing = new RunScript({ file: 'd.sh' });
    assert.equal(
      await messageOf(() => failing.run(testContext(failing, { basePath: folder.path }))),
      'bash d.sh: exit code 3',
    );
    const missing = new RunScript({ file: 'gone.sh' });
    assert.equal(
      await messageOf(() => missing.run(testContext(missing, { basePath: folder.path }))),
      `Task "shop/load": there is no file ${folder.path}/gone.sh ("gone.sh" is relative to the base path of pipeline "shop").`,
    );
  });

  describe('with file dependencies', () => {
    it('runs again only when a file, or the window of dates, has changed', async () => {
      await using folder = await temporaryFolder({ 'a.txt': 'one', 'b.txt': 'two' });
      let calls = 0;
      let fail = false;
      const command = new RunFunction({
        fn: function load() {
          calls++;
          return !fail;
        },
        fileDependencies: ['a.txt', 'b.txt'],
      });
      const stored = new Map<string, string>();
      const run = async (dates: { readonly firstDate?: string } = {}): Promise<readonly string[]> => {
        const context = testContext(command, { basePath: folder.path, stored, ...dates });
        await command.run(context);
        return [...context.lines, ...context.reasons.map(reason => `unchanged: ${reason}`)];
      };
      assert.deepEqual(await run(), ['> load()']);
      assert.deepEqual([...stored.keys()], ['RunFunction load']);
      assert.deepEqual(await run(), ['> load()', 'no changes', 'unchanged: no changes']);
      assert.equal(calls, 1);
      await run({ firstDate: '2020-01-01' });
      assert.equal(calls, 2);
      await run();
      assert.equal(calls, 3);

      fail = true;
      await writeFile(join(folder.path, 'b.txt'), 'three');
      assert.deepEqual(await run(), ['> load()', '!load returned false']);
      assert.equal(stored.size, 0);
      fail = false;
      await writeFile(join(folder.path, 'b.txt'), 'two');
      await run();
      assert.equal(calls, 5, 'a failed run forgets what was done before, so going back runs again');
      assert.equal(stored.size, 1);
    });

    it('names a file that is missing', async () => {
      await using folder = await temporaryFolder();
      const command = new RunFunction({ fn: () => undefined, fileDependencies: ['gone.txt'] });
      assert.equal(
        await messageOf(() => command.run(testContext(command, { basePath: folder.path }))),
        `Task "shop/load": there is no file ${folder.path}/gone.txt ("gone.txt" is relative to the base path of pipeline "shop").`,
      );
    });
  });
});
