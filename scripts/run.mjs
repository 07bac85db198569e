// Runs a script of this repository under the pinned Node, so that an older Node on the machine is enough to begin with:
//   node scripts/run.mjs <script> [arguments]
import { spawn } from 'node:child_process';
import { ensureInstalled, pinnedNode } from './setup.mjs';

ensureInstalled();
const child = spawn(pinnedNode(), process.argv.slice(2), { stdio: 'inherit' });
// Ctrl-C reaches both processes; the script decides when to end.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', error => {
  throw error;
});
child.on('exit', exitCode => {
  process.exitCode = exitCode ?? 1;
});
