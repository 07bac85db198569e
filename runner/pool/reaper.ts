/**
 * A tiny process that outlives the runner by a moment: when the runner dies without a chance to clean up (`kill -9`,
 * out of memory), the pipe between the two closes, and the reaper kills what the runner had registered.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { pipeFolderPrefix } from './pipes.ts';

/*
 * Lines: `+ID` registers, `-ID` forgets, `done` ends without harm. An id is `gN` for a group, `wN` for a worker.
 * The reaper has a session of its own, so neither Ctrl-C nor the end of a terminal reaches it before its work is done.
 *
 * A group that began a moment ago may not have been registered yet. So where there is /proc, whatever belongs to the
 * session of a worker or is its child is found there; workers are stopped before, so that they start nothing more.
 */
const script = `trap '' HUP INT QUIT TERM PIPE
pipes=$1
ids=' '
while IFS= read -r line; do
  case $line in
  +*) ids="$ids\${line#+} " ;;
  -*) id=\${line#-}; case $ids in *" $id "*) ids="\${ids%%" $id "*} \${ids#*" $id "}" ;; esac ;;
  done) exit 0 ;;
  esac
done
exec 2>/dev/null
workers=' '
for id in $ids; do
  case $id in
  w*) workers="$workers\${id#w} "; kill -STOP "\${id#w}" ;;
  g*) kill -9 "-\${id#g}" ;;
  esac
done
for round in 1 2 3; do
  for file in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$file"; } || continue
    pid=\${file#/proc/}; pid=\${pid%/stat}
    set -- \${line##*') '}
    [ "$1" = Z ] && continue
    case $workers in *" $pid "*) ;; *" $4 "*|*" $2 "*) kill -9 "-$pid"; kill -9 "$pid" ;; esac
  done
done
for id in $workers; do kill -9 "-$id"; kill -9 "$id"; rm -rf "$pipes$id"; done`;

/** Started with the first registration. Does nothing on Windows, where workers end themselves. */
export class Reaper implements Disposable {
  readonly #ids = new Set<string>();
  #process: ChildProcess | undefined;
  #closed = false;
  /** What has ended is told with the next line that matters: being late with it is harmless. */
  #late = '';
  #lateTimer: NodeJS.Timeout | undefined;

  /** A process group that must not outlive the runner. */
  addGroup(pgid: number): void {
    this.#add(`g${String(pgid)}`);
  }

  removeGroup(pgid: number): void {
    this.#remove(`g${String(pgid)}`);
  }

  /** A process that leads a session, none of which must outlive the runner. */
  addWorker(pid: number): void {
    this.#add(`w${String(pid)}`);
  }

  removeWorker(pid: number): void {
    this.#remove(`w${String(pid)}`);
  }

  /** The runner ends in good order: nothing is killed. */
  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#lateTimer);
    this.#process?.stdin?.end('done\n');
    this.#process = undefined;
    this.#ids.clear();
  }

  #add(id: string): void {
    if (process.platform === 'win32' || this.#closed) return;
    this.#ids.add(id);
    const process_ = this.#process;
    if (process_ === undefined) {
      this.#process = this.#start();
      return;
    }
    process_.stdin?.write(`${this.#late}+${id}\n`);
    this.#late = '';
  }

  #remove(id: string): void {
    if (!this.#ids.delete(id)) return;
    this.#late += `-${id}\n`;
    this.#lateTimer ??= setTimeout(() => {
      this.#lateTimer = undefined;
      if (this.#late !== '') this.#process?.stdin?.write(this.#late);
      this.#late = '';
    }, 20).unref();
  }

  #start(): ChildProcess {
    const child = spawn('/bin/sh', ['-c', script, 'reaper', pipeFolderPrefix()], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.unref();
    // If the reaper is killed, the next registration starts another one, which is told everything.
    const forget = (): void => {
      if (this.#process === child) this.#process = undefined;
    };
    child.on('exit', forget);
    child.on('error', forget);
    child.stdin.on('error', forget);
    // A pipe is a socket in truth, whatever its type says; it must not keep the runner alive.
    if (child.stdin instanceof Socket) child.stdin.unref();
    this.#late = '';
    child.stdin.write([...this.#ids].map(id => `+${id}\n`).join(''));
    return child;
  }
}
