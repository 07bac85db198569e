/** What a command prints as its result, whatever the project says besides and wherever it goes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { after, before, describe, it } from 'mocha';
import { launchFile, runMillrace } from '../support/millrace.ts';
import { testProject, type TestProject } from '../support/project.ts';
import { temporaryHome } from '../support/store.ts';

describe('millrace: results', () => {
  let project: TestProject;
  before(async () => {
    project = await testProject({
      'shop.pipeline.ts': `import { Pipeline, RunBash, Task } from 'millrace';
        console.log('said while loading');
        export const shop = new Pipeline({ id: 'shop', onFailure: 'runAll' });
        for (let id = 0; id < 12; id++)
          shop.add(new Task({ id: 'load_' + id, maxRetries: 0, commands: [new RunBash('echo "no file ' + id + '" >&2; exit 3')] }));`,
    });
  });
  after(async () => {
    await project[Symbol.asyncDispose]();
  });

  it('tells once more at the end what has failed, and how to go on', async () => {
    const { exitCode, stdout, stderr } = await runMillrace(['run', '--parallel', '1'], { cwd: project.path });
    assert.equal(exitCode, 1);
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(
      lines.slice(-12, -1).toSorted(),
      [
        '  and 2 more',
        ...Array.from(
          { length: 10 },
          (_, id) => `✗ shop / load_${String(id)}: exit code 3: no file ${String(id)}`,
        ),
      ].toSorted(),
    );
    assert.match(lines.at(-1) ?? '', /^✗ run 1 failed in .*: 12 failed$/);
    assert.equal(stderr, 'said while loading\nmillrace: To go on from there: millrace run --resume 1\n');
  });

  it('has nothing of what files print while they are loaded among its JSON', async () => {
    for (const command of [
      ['list', '--json'],
      ['graph', '--format', 'json'],
      ['config', '--json'],
    ]) {
      const { stdout, stderr } = await runMillrace(command, { cwd: project.path });
      assert.doesNotThrow(() => JSON.parse(stdout) as unknown, command.join(' '));
      assert.equal(stderr, command[0] === 'config' ? '' : 'said while loading\n');
    }
  });

  it('fails when the result cannot be written, and says so once', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const command = spawn(process.execPath, [launchFile, 'list', '--json'], {
      cwd: project.path,
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      env: { ...process.env, MILLRACE_HOME: await temporaryHome() },
    });
    let stderr = '';
    command.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [exitCode] = (await once(command, 'close')) as [number];
    assert.equal(
      stderr,
      'said while loading\nmillrace: Standard output cannot be written any more: ENOSPC: no space left on device, write\n',
    );
    assert.equal(exitCode, 1);
  });
});
