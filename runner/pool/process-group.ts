/**
 * Process groups: how a command and all that it started are stopped together.
 *
 * A group is named by the process id of its leader. The system may give the id to a stranger as soon as the leader has
 * been waited for *and* no other member is left; so signals are sent only while the leader is known not to have been
 * waited for, or in the same turn of the event loop in which its end was learned.
 */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait between two looks at a group that is ending, in milliseconds. */
const pollInterval = 10;

/**
 * Sends a signal to all processes of a group; 0 only asks. Whether there was one to take it.
 * On Windows, where there are no groups, any signal ends the process and its descendants.
 */
export function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  if (process.platform === 'win32') return signalTree(pgid, signal);
  try {
    process.kill(-pgid, signal);
    return true;
  } catch (error) {
    // EPERM: there are processes, but none that belongs to this user: `sudo` and the like.
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') return true;
    return false;
  }
}

/** Waits until no process of the group is left; `false` when some are after `seconds`. */
export async function groupEnded(pgid: number, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (signalGroup(pgid, 0)) {
    if (performance.now() >= deadline) return false;
    await delay(pollInterval);
  }
  return true;
}

/**
 * SIGTERM to a group, and SIGKILL after `killAfter` seconds for what is left of it then. Disposing takes the SIGKILL
 * back: to be done as soon as the end of the group is known.
 */
export function terminateGroup(pgid: number, killAfter: number): Disposable {
  signalGroup(pgid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pgid, 'SIGKILL'), killAfter * 1000);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function signalTree(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (signal !== 0) {
    const taskkill = spawn('taskkill', ['/pid', String(pid), '/t', '/f'], {
      stdio: 'ignore',
      windowsHide: true,
    });
    // Without `taskkill` the process itself can still be ended.
    taskkill.on('error', () => process.kill(pid));
  }
  return true;
}
