// What a fresh clone needs before anything else can run. Plain JavaScript for Node 20, and nothing but Node's own modules.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node that the project pins, as npm has installed it. */
export function pinnedNode() {
  const binary = join(
    root,
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(binary)) return binary;
  fail(
    'the pinned Node is missing in node_modules (were install scripts switched off?); run: npm rebuild node',
  );
}

/** Installs the packages of the lock file unless they are there. */
export function ensureInstalled() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) fail(`Node ${process.versions.node} is too old to begin with; install Node 20 or newer`);
  if (isInstalled()) return;
  say('installing packages (once)');
  const npm = process.env.npm_execpath;
  const command = npm === undefined ? ['npm', 'ci'] : [process.execPath, npm, 'ci'];
  const result = spawnSync(command[0], [...command.slice(1), '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: npm === undefined && process.platform === 'win32',
    env: { ...process.env, MILLRACE_PREPARED: '1' },
  });
  if (result.error?.code === 'ENOENT') fail('npm was not found; install it together with Node 20 or newer');
  if (result.status !== 0) fail('npm ci did not succeed; its messages are above');
  pinnedNode();
}

/** Whether npm has installed what the lock file names, by the record that it keeps of the installation. */
function isInstalled() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    // Optional packages may be for another platform.
    ([path, { version, optional }]) =>
      path === '' || optional === true || installed[path]?.version === version,
  );
}

/** What is built alone: sources by part. */
const sources = {
  runner: [
    'runner',
    'migrations',
    'extension/analysis',
    'extension/language',
    'tsconfig.types.json',
    'examples/python-project-stats',
  ],
  extension: ['extension', 'runner', 'migrations', 'webview/messages.ts'],
  webview: ['webview', 'runner'],
};

/** The parts of the build. */
export const parts = Object.keys(sources);

/** The file that says what a build has written into a directory, and from which sources. */
export function buildRecord(directory, part) {
  return join(directory, `.built-${part}.json`);
}

/** Builds the parts of which a source file has changed since their last build. */
export function ensureBuilt(wanted = parts) {
  const stale = wanted.filter(part => {
    const record = buildRecord(join(root, 'dist'), part);
    return (
      !existsSync(record) || JSON.parse(readFileSync(record, 'utf8')).fingerprint !== sourceFingerprint(part)
    );
  });
  if (stale.length === 0) return;
  say(`building ${stale.join(', ')}`);
  const result = spawnSync(pinnedNode(), [join(root, 'scripts', 'build.mjs'), ...stale], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) fail('the build did not succeed; its messages are above');
}

export function say(text) {
  process.stderr.write(`millrace: ${text}\n`);
}

function fail(text) {
  process.stderr.write(`millrace: ${text}\n`);
  process.exit(1);
}

/** Changes with every file that a part is built from. */
export function sourceFingerprint(part) {
  const hash = createHash('sha256');
  const visit = path => {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    if (stats.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(`${path}\0${stats.size}\0${stats.mtimeMs}\n`);
  };
  for (const name of [...sources[part], 'scripts/build.mjs', 'package-lock.json']) visit(join(root, name));
  return hash.digest('hex');
}
