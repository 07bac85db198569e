/** Runs as the editor begins them: processes of their own, which tell their id and go on without it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type CommandLine, startRun } from '../../extension/runner/run-starter.ts';
import type { RunKind } from '../../extension/runner/run-arguments.ts';
import { launchFile } from '../support/millrace.ts';
import { testProject, type TestProject } from '../support/project.ts';
import { resources, temporaryHome } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

const slow = `import { Pipeline, RunBash, Task } from 'millrace';

export const slow = new Pipeline({ id: 'slow', params: { size: { type: 'number', default: 1 } } });
// It also ends when a test that has failed has removed the folder.
slow.add(new Task({ id: 'waits', commands: [new RunBash('until [ -e go ] || ! [ -e "$PWD" ]; do sleep 0.01; done')] }));
`;
const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

function request(params: Readonly<Record<string, string | number>> = {}): RunKind {
  return {
    kind: 'run',
    request: { path: ['slow'], nodePaths: [], withUpstreams: false, params, allowConcurrent: false },
  };
}

describe('a run that the editor begins', () => {
  let project: TestProject;
  let commandLine: CommandLine;

  beforeEach(async () => {
    project = await testProject({
      'slow.pipeline.ts': slow,
      // Stands for the bundle.
      'dist/millrace.js': `await import(${JSON.stringify(pathToFileURL(launchFile).href)});\n`,
    });
    commandLine = {
      runtime: { execPath: process.execPath, dist: join(project.path, 'dist') },
      env: { PATH: process.env['PATH'] ?? '', MILLRACE_HOME: await temporaryHome() },
      directory: project.path,
    };
  });
  afterEach(async () => {
    await project[Symbol.asyncDispose]();
  });

  const status = async (): Promise<string | undefined> =>
    (await project.query<{ status: string }>('SELECT status FROM run WHERE run_id = 1'))[0]?.status;
  const end = async (): Promise<string | undefined> => {
    await waitUntil(async () => (await status()) !== 'running');
    return await status();
  };

  it('goes on when whoever began it is killed with its whole process group', async () => {
    const starter = pathToFileURL(join(resources, 'extension', 'runner', 'run-starter.ts')).href;
    const script = `
      const { startRun } = await import(${JSON.stringify(starter)});
      const log = { debug() {} };
      const started = await startRun(${JSON.stringify(commandLine)}, ${JSON.stringify(request())}, log);
      console.log(JSON.stringify(started));
      setInterval(() => {}, 1000);`;
    const editor = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.ok(editor.pid !== undefined);
    const [told] = (await once(editor.stdout.setEncoding('utf8'), 'data')) as [string];
    process.kill(-editor.pid, 'SIGKILL');
    await once(editor, 'exit');
    assert.deepEqual(JSON.parse(told), { kind: 'started', runId: 1, notices: [] });

    assert.equal(await status(), 'running');
    await project.write({ go: '' });
    assert.equal(await end(), 'succeeded');
  });

  it('goes on when whoever began it is gone before it could be told', async () => {
    const run = spawn(process.execPath, [launchFile, 'run', 'slow'], {
      cwd: project.path,
      env: { ...commandLine.env, MILLRACE_ANNOUNCE_FD: '3' },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    run.stdio[3]?.destroy();
    await project.write({ go: '' });
    await once(run, 'exit');
    assert.equal(await status(), 'succeeded');
  });

  it('is told with what could not be loaded, and can be cancelled', async () => {
    await project.write({ 'broken.pipeline.ts': 'export default 1 +;\n' });
    const started = await startRun(commandLine, request({ size: 2 }), silent);
    assert.deepEqual(started, {
      kind: 'started',
      runId: 1,
      notices: [
        'broken.pipeline.ts:1:19: error: Expression expected.',
        'export default 1 +;',
        '                  ^',
      ],
    });
    await project.run(['cancel', '1']);
    assert.equal(await end(), 'cancelled');
  });

  it('is refused in the words of the runner, without what files print', async () => {
    await project.write({
      'noise.pipeline.ts': `import { Pipeline } from 'millrace';
console.log('printed while it is loaded');
export const noise = new Pipeline({ id: 'noise' });
`,
    });
    assert.deepEqual(await startRun(commandLine, request({ size: 'x' }), silent), {
      kind: 'refused',
      message: 'The parameter "size" must be a number, not "x".',
    });
    await assert.rejects(
      startRun(
        { ...commandLine, runtime: { ...commandLine.runtime, execPath: '/nowhere/node' } },
        request(),
        silent,
      ),
      {
        message:
          'Millrace cannot be started with /nowhere/node: spawn /nowhere/node ENOENT. The setting millrace.nodePath names another Node.js.',
      },
    );
  });
});
