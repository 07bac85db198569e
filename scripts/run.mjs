// Runs a script of this repository under the pinned Node, so that an older Node on the machine is enough to begin with:
//   node scripts/run.mjs <script> [arguments]
import { spawnSync } from 'node:child_process';
import { ensureInstalled, pinnedNode } from './setup.mjs';

ensureInstalled();
const result = spawnSync(pinnedNode(), process.argv.slice(2), { stdio: 'inherit' });
if (result.error) throw result.error;
process.exitCode = result.status ?? 1;
