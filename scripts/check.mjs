// What must hold before any test runs: formatting, types, lint, and what is generated.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pinnedNode, root } from './setup.mjs';

const bin = name => join(root, 'node_modules', '.bin', name);
const types = project => [
  `types of ${project}`,
  pinnedNode(),
  [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', project],
];
const steps = [
  ['formatting', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
  // What runs in a browser has a project of its own, and so have the tests that reach into one.
  ...['tsconfig.json', 'webview/tsconfig.json', 'test/tsconfig.json'].map(types),
  ['texts of the extension', pinnedNode(), [join(root, 'scripts/l10n.mjs'), '--check']],
  ['table of settings', pinnedNode(), [join(root, 'scripts/settings-table.mjs'), '--check']],
  ['lint', pinnedNode(), [join(root, 'node_modules/eslint/bin/eslint.js'), '--max-warnings', '0', '.']],
];
for (const [what, command, parameters] of steps) {
  process.stderr.write(`millrace: checking ${what}\n`);
  const result = spawnSync(command, parameters, { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) {
    process.stderr.write(`millrace: ${what}: not in order; the messages are above\n`);
    process.exit(1);
  }
}
