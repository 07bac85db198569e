import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { hasProc, runs, untilGone } from '../fixtures/pool/processes.ts';

const fixture = join(import.meta.dirname, '..', 'fixtures', 'pool', 'reaper.ts');

/** Runs the fixture, which registers processes in the ways it names, until it has said which. */
async function start(...args: string[]): Promise<{ kill(): Promise<void>; pids: Record<string, number> }> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    pids: JSON.parse(line) as Record<string, number>,
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

describe('pool: reaper', function () {
  if (!hasProc) return;

  it('kills what is registered when its owner is killed, and nothing else', async () => {
    const { kill, pids } = await start();
    const { group = 0, worker = 0, child = 0, forgotten = 0, stranger = 0 } = pids;
    assert.ok(Object.values(pids).every(runs));
    await kill();
    await untilGone([group, worker, child]);
    assert.deepEqual([forgotten, stranger].map(runs), [true, true]);
    for (const pid of [forgotten, stranger]) process.kill(-pid, 'SIGKILL');
    await untilGone(Object.values(pids));
  });

  it('does nothing when its owner has ended in good order', async () => {
    const { kill, pids } = await start('done');
    await kill();
    const { reaper = 0 } = pids;
    await untilGone([reaper]);
    const rest = Object.values(pids).filter(pid => pid !== reaper);
    assert.ok(rest.every(runs));
    for (const pid of rest) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // A member of another one's group.
      }
    }
    await untilGone(rest);
  });

  it('is started again when it was killed', async () => {
    const { kill, pids } = await start('restart');
    await kill();
    await untilGone([pids['group'] ?? 0, pids['worker'] ?? 0]);
    for (const name of ['forgotten', 'stranger']) process.kill(-(pids[name] ?? 0), 'SIGKILL');
  });
});
