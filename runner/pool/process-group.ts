/**
 * Process groups: how a command and all that it started are stopped together.
 *
 * A group is named by the process id of its leader. The system may give the id to a stranger as soon as the leader has
 * been waited for *and* no other member is left; so signals are sent only while the leader is known not to have been
 * waited for, or in the same turn of the event loop in which its end was learned.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
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

/** Whether a process of the group still runs. */
export function groupRuns(pgid: number): boolean {
  // A process that has ended counts until it is waited for, and whoever has inherited it may be slow with that.
  return signalGroup(pgid, 0) && (process.platform !== 'linux' || hasRunningMember(pgid));
}

/** Waits until no process of the group runs; `false` when some still do after `seconds`. */
export async function groupEnded(pgid: number, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (groupRuns(pgid)) {
    if (performance.now() >= deadline) return false;
    await delay(pollInterval);
  }
  return true;
}

/**
 * Kills what is left of the session of a process that has ended: what it had started a moment before, too. Only where
 * there is /proc. (The id of a session is not given to anybody else while somebody is in it.)
 */
export function killSession(sid: number): void {
  if (process.platform !== 'linux') return;
  for (const { pid, session } of runningProcesses()) {
    if (session === sid) signalProcess(pid, 'SIGKILL');
  }
}

function hasRunningMember(pgid: number): boolean {
  for (const { group } of runningProcesses()) if (group === pgid) return true;
  return false;
}

function* runningProcesses(): Generator<{
  readonly pid: number;
  readonly group: number;
  readonly session: number;
}> {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${name}/stat`, 'latin1');
    } catch {
      // It has gone while we were looking.
      continue;
    }
    // `pid (name) state parent group session …`, and the name may hold anything.
    const [state, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state !== 'Z' && state !== 'X')
      yield { pid: Number(name), group: Number(group), session: Number(session) };
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone meanwhile.
  }
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
    taskkill.on('error', () => {
      signalProcess(pid, signal);
    });
  }
  return true;
}
