import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent } from '../../runner/events.ts';
import { formatPath } from '../../runner/model.ts';
import { runMillrace } from '../support/millrace.ts';
import { resources } from '../support/store.ts';
import { temporaryFolder } from '../support/temp.ts';

describe('examples/demo', () => {
  it('fails at ping_foo, and skips only what comes after it', async () => {
    await using folder = await temporaryFolder();
    await cp(join(resources, 'examples', 'demo'), folder.path, { recursive: true });
    const { exitCode, stdout, stderr } = await runMillrace(['run', 'demo', '--json'], { cwd: folder.path });
    assert.equal(exitCode, 1, stderr);

    const outcomes: Record<string, string> = {};
    const errors: string[] = [];
    for (const line of stdout.trimEnd().split('\n')) {
      const event = JSON.parse(line) as RunEvent;
      const path = formatPath(event.nodePath);
      if (event.type === 'node_finished') outcomes[path] = event.status;
      if (event.type === 'node_skipped') outcomes[path] = 'skipped';
      if (event.type === 'output' && event.isError) errors.push(`${path}: ${event.message}`);
      if (event.type === 'node_finished' && event.kind === 'task' && event.status === 'failed') {
        assert.equal(event.exitCode, 2);
      }
    }
    assert.deepEqual(outcomes, {
      demo: 'failed',
      'demo/ping_localhost': 'succeeded',
      'demo/sub_pipeline': 'failed',
      'demo/sub_pipeline/ping_google': 'succeeded',
      'demo/sub_pipeline/ping_amazon': 'succeeded',
      'demo/sub_pipeline/ping_facebook': 'succeeded',
      'demo/sub_pipeline/ping_foo': 'failed',
      'demo/sleep': 'skipped',
    });
    assert.deepEqual(errors, [
      'demo/sub_pipeline/ping_foo: ping: foo: Name or service not known',
      'demo/sub_pipeline/ping_foo: exit code 2',
    ]);
  });
});
