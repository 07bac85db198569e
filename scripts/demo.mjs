// `npm run demo`: from a fresh clone to the result of a real pipeline. Installs, builds, then runs examples/repo-stats
// on the history of this repository, with every run and every line kept in the embedded Postgres.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, pinnedNode, root } from './setup.mjs';

ensureInstalled();
ensureBuilt();
const result = spawnSync(pinnedNode(), [join(root, 'dist', 'millrace.js'), 'run', ...process.argv.slice(2)], {
  cwd: join(root, 'examples', 'repo-stats'),
  stdio: 'inherit',
});
process.exitCode = result.status ?? 1;
