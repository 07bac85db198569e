/** Code of the project that goes on in the runner after it was loaded. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { outcomesOf, eventsOf, testProject } from '../support/project.ts';

describe('code of a pipeline file that goes on after it was loaded', () => {
  it('is told of, and neither ends the run nor changes its outcome', async () => {
    await using project = await testProject({
      'late.pipeline.ts': `import { connect } from 'node:net';
import { Pipeline, RunBash, Task } from 'millrace';

export const late = new Pipeline({ id: 'late' });
late.add(new Task({ id: 'waits', commands: [new RunBash('until [ -e go ]; do sleep 0.01; done')] }));
if (process.env.MILLRACE_WORKER === undefined) {
  // Long after loading: the run has begun.
  const timer = setInterval(() => {
    if (!process.argv.includes('run')) return;
    clearInterval(timer);
    setTimeout(() => { throw new Error('thrown'); });
    setTimeout(() => process.exit(0));
    setTimeout(() => void Promise.reject(new Error('rejected')));
    connect('/nowhere');
  }, 10);
}
`,
    });
    await using run = await project.start(['run', 'late', '--json']);
    await run.until(() =>
      ['thrown', 'rejected', 'process.exit(0)', 'ENOENT'].every(text => run.stderr.includes(text)),
    );
    await project.write({ go: '' });
    const { exitCode, stdout, stderr } = await run.end;
    const intro =
      'millrace: Code of the project failed outside of any task, after it was loaded; the run goes on: ';
    const at = (line: number): string => `    at Timeout._onTimeout (late.pipeline.ts:${String(line)})`;
    assert.deepEqual(
      stderr
        .replaceAll(/\(\S*(late\.pipeline\.ts:\d+):\d+\)/g, '($1)')
        .trimEnd()
        .split('\n')
        .toSorted(),
      [
        at(11),
        at(12),
        at(13),
        `${intro}process.exit(0) was called, which would end the runner.`,
        `${intro}connect ENOENT /nowhere`,
        `${intro}rejected`,
        `${intro}thrown`,
      ].toSorted(),
    );
    assert.equal(exitCode, 0);
    assert.equal(outcomesOf(eventsOf(stdout))['late/waits'], 'succeeded');
  });
});
