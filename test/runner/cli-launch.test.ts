/** The command line as whatever Node the machine has starts it: one that is too old hands over to the one beside it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { canListProcesses, ProcessMark } from '../support/processes.ts';
import { testProject, type TestProject } from '../support/project.ts';
import { resources, temporaryHome } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

/** The machine's own; scripts of npm put the pinned one before it. */
const machineNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter(folder => !folder.includes('node_modules'))
  .map(folder => join(folder, 'node'))
  .find(file => existsSync(file));

describe("millrace by the machine's Node", function () {
  if (machineNode === undefined || !canListProcesses) return;
  let project: TestProject;
  let home: string;

  before(async () => {
    project = await testProject({
      'slow.pipeline.ts': `import { Pipeline, RunBash, Task } from 'millrace';
        export const slow = new Pipeline({ id: 'slow' });
        slow.add(new Task({ id: 'waits', commands: [new RunBash('sleep 1000')] }));
        export const open = new Pipeline({ id: 'open' });
        open.add(new Task({ id: 'shell', commands: [new RunBash('ls -l /proc/self/fd')] }));
        export const fails = new Pipeline({ id: 'fails' });
        fails.add(new Task({ id: 'one', maxRetries: 0, commands: [new RunBash('exit 1')] }));`,
    });
    home = await temporaryHome();
  });
  after(async () => {
    await project[Symbol.asyncDispose]();
  });

  const start = (mark: ProcessMark, ...args: string[]): ChildProcess =>
    spawn(machineNode, [join(resources, 'dist', 'millrace.js'), ...args], {
      cwd: project.path,
      stdio: 'ignore',
      env: { ...process.env, ...mark.env, MILLRACE_HOME: home },
    });
  const newest = async (): Promise<{ run_id: number; status: string } | undefined> =>
    (
      await project.query<{ run_id: number; status: string }>(
        'SELECT run_id, status FROM run ORDER BY run_id DESC',
      )
    )[0];
  const untilItWaits = async (): Promise<number> => {
    await waitUntil(
      async () =>
        (
          await project.query(`SELECT FROM run JOIN node_run USING (run_id)
          WHERE run.status = 'running' AND node_path = '{slow,waits}' AND node_run.status = 'running'`)
        ).length > 0,
    );
    return (await newest())?.run_id ?? 0;
  };

  it('has the exit code of the run', async () => {
    const [exitCode] = (await once(start(new ProcessMark(), 'run', 'fails'), 'exit')) as [number];
    assert.equal(exitCode, 1);
  });

  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    it(`is cancelled by ${signal}`, async () => {
      const mark = new ProcessMark();
      const command = start(mark, 'run', 'slow');
      const runId = await untilItWaits();
      command.kill(signal);
      const [exitCode] = (await once(command, 'exit')) as [number];
      assert.equal(exitCode, 130);
      assert.deepEqual(await newest(), { run_id: runId, status: 'cancelled' });
    });

  it('hands nothing on that whoever started it has open', async () => {
    const lock = join(project.path, 'lock');
    const script = 'exec "$0" "$@" 200>lock 20>&1';
    const args = [join(resources, 'dist', 'millrace.js'), 'run', 'open'];
    const command = spawn('bash', ['-c', script, machineNode, ...args], {
      cwd: project.path,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, MILLRACE_HOME: home },
    });
    let stdout = '';
    command.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    await once(command, 'close');
    assert.match(stdout, /open \/ shell: .*\/dev\/null/);
    assert.ok(!stdout.includes(lock), stdout);
    assert.ok(!stdout.includes(' 20 -> '), stdout);
  });

  it('leaves nothing behind when it is killed', async () => {
    const mark = new ProcessMark();
    const command = start(mark, 'run', 'slow');
    await untilItWaits();
    command.kill('SIGKILL');
    await mark.untilGone();
  });
});
