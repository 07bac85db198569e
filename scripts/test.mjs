/**
 * npm test [-- suite … | file … | --grep text]
 *
 * Installs and builds what is missing, checks formatting, types and lint, runs the tests, and fails when one of them left
 * a process or a file behind. Prints `N passed, N failed` at the end. For the suites `extension` and `workbench`:
 *
 *   --vsix FILE         tests the installed package instead of the checkout
 *   --vscode oldest     in the oldest VS Code that `engines.vscode` allows
 *   --also-oldest       afterwards in the oldest as well: `extension`, and of `workbench` what is named smoke
 *   --electron          `extension` in a VS Code that @vscode/test-electron downloads
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, parts, pinnedNode, root, say } from './setup.mjs';

const suites = ['unit', 'store', 'runner', 'extension', 'workbench'];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    grep: { type: 'string', short: 'g' },
    vsix: { type: 'string' },
    vscode: { type: 'string', default: 'newest' },
    'also-oldest': { type: 'boolean', default: false },
    electron: { type: 'boolean', default: false },
  },
});
if (values.vscode !== 'newest' && values.vscode !== 'oldest') {
  say(`--vscode is newest or oldest, not ${values.vscode}`);
  process.exit(1);
}
const selected = selectedFiles();
const inEditor = ['extension', 'workbench'].filter(suite => selected[suite] !== undefined);

ensureInstalled();
// The plain suites run the sources, and of what is built the runner.
ensureBuilt(inEditor.length > 0 ? parts : ['runner']);
ensurePrograms();
if (positionals.length === 0 && values.grep === undefined) {
  const check = run([join(root, 'scripts', 'check.mjs')]);
  if (check.status !== 0) finish({ passed: 0, failed: 1 });
}

// Everything that tests write to a temporary place goes below one folder, so that what is left can be seen. The name is
// short, because paths of Unix sockets are limited to 107 bytes.
const temporary = mkdtempSync(join(tmpdir(), 'mt-'));
// As root, the Postgres servers of the tests run under another account.
chmodSync(temporary, 0o755);
const counts = { passed: 0, failed: 0 };

const plain = ['unit', 'store', 'runner', 'other'].flatMap(suite => selected[suite] ?? []);
if (plain.length > 0) testWithMocha(plain, 60_000, Math.max(2, availableParallelism()));
const versions = [values.vscode, ...(values['also-oldest'] && values.vscode === 'newest' ? ['oldest'] : [])];
if (inEditor.length > 0 && canTestEditor(versions)) for (const version of versions) testEditor(version);

for (const left of [...leftFiles(), ...leftProcesses()]) {
  say(`a test left behind: ${left}`);
  counts.failed += 1;
}
rmSync(temporary, { recursive: true, force: true });
finish(counts);

/** What is to run, as patterns and files by suite; files that stand in no suite are `other`. */
function selectedFiles() {
  const names = positionals.filter(name => suites.includes(name));
  const files = positionals.filter(name => !suites.includes(name));
  const all = names.length > 0 || files.length > 0 ? names : suites;
  const found = Object.fromEntries(all.map(suite => [suite, [`test/${suite}/**/*.test.ts`]]));
  for (const file of files) {
    const [, suite = ''] = relative(root, resolve(file)).split(/[/\\]/);
    (found[suites.includes(suite) ? suite : 'other'] ??= []).push(file);
  }
  return found;
}

function testWithMocha(files, timeout, jobs, env = {}) {
  say(`testing ${files.join(', ')}`);
  runSuite(
    [
      join(root, 'node_modules', 'mocha', 'bin', 'mocha.js'),
      // With one job, mocha would load the files by require().
      ...(jobs > 1 ? ['--parallel', '--jobs', String(jobs)] : []),
      ...['--timeout', String(timeout)],
      '--forbid-only',
      ...['--reporter', join(root, 'test', 'support', 'reporter.mjs')],
      ...(values.grep === undefined ? [] : ['--grep', values.grep]),
      ...files,
    ],
    env,
  );
}

/** The suites that run in VS Code, in one version of it. */
function testEditor(version) {
  const smoke = version !== values.vscode;
  const vsix = values.vsix === undefined ? undefined : resolve(values.vsix);
  if (selected.extension !== undefined) {
    const files = selected.extension.filter(file => !file.includes('*'));
    say(`testing test/extension in the ${version} VS Code`);
    runSuite(
      [
        join(root, 'test', 'extension', 'support', 'main.ts'),
        ...['--vscode', version],
        ...(vsix === undefined ? [] : ['--vsix', vsix]),
        ...(values.grep === undefined ? [] : ['--grep', values.grep]),
        ...(values.electron ? ['--electron'] : []),
        ...files,
      ],
      {},
    );
  }
  if (selected.workbench !== undefined && !values.electron) {
    const gallery = join(root, 'test', 'workbench', 'support', 'gallery.ts');
    const isWhole =
      !smoke && values.grep === undefined && selected.workbench.some(file => file.includes('*'));
    if (isWhole) run([gallery, 'empty']);
    testWithMocha(
      smoke ? ['test/workbench/**/*smoke*.test.ts'] : selected.workbench,
      120_000,
      // VS Code and Chromium are busy with more than one processor each while they start.
      Math.max(1, Math.floor(availableParallelism() / 2)),
      { MILLRACE_TEST_VSCODE: version, ...(vsix === undefined ? {} : { MILLRACE_TEST_VSIX: vsix }) },
    );
    run([gallery, 'index']);
  }
}

/** Whether there is a VS Code and a browser; installs VS Code. Says what is skipped otherwise. */
function canTestEditor(wanted) {
  if (values.electron) return true;
  const skip = reason => {
    say(`${reason}: the tests of ${inEditor.join(' and ')} are skipped`);
    return false;
  };
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return skip('tests in code-server run on Linux x64 (npm test -- extension --electron runs elsewhere)');
  if (!existsSync('/usr/bin/chromium') && process.env.CHROMIUM === undefined)
    return skip('Chromium was not found (apt-get install chromium, or name it with CHROMIUM)');
  if (run([join(root, 'test', 'workbench', 'support', 'vscode.ts'), ...wanted]).status === 0) return true;
  say('VS Code could not be installed; the messages are above');
  counts.failed += 1;
  return false;
}

/** Runs what writes its counts to the file that it is told, and adds them. */
function runSuite(command, env) {
  const results = join(temporary, 'results.json');
  const ended = run(command, {
    TMPDIR: temporary,
    MILLRACE_HOME: join(temporary, 'default-home'),
    MILLRACE_TEST_RESULTS: results,
    ...env,
  });
  let found;
  try {
    found = JSON.parse(readFileSync(results, 'utf8'));
    rmSync(results);
  } catch {
    say(`the test runner ended early (exit code ${ended.status}, signal ${ended.signal})`);
    found = { passed: 0, failed: 1 };
  }
  if (ended.status !== 0 && found.failed === 0) found.failed = 1;
  counts.passed += found.passed;
  counts.failed += found.failed;
}

function run(command, env = {}) {
  return spawnSync(pinnedNode(), command, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
}

/** Databases and clients that tests drive: installed where that is possible, otherwise their tests are skipped. */
function ensurePrograms() {
  const packages = {
    mariadbd: 'mariadb-server',
    mariadb: 'mariadb-client',
    sqlite3: 'sqlite3',
    psql: 'postgresql-client',
    // The last ones compile two modules of VS Code.
    ...(inEditor.length > 0 && process.env.CHROMIUM === undefined ? { chromium: 'chromium' } : {}),
    ...(inEditor.length > 0 ? { python3: 'python3', make: 'make', 'g++': 'g++' } : {}),
  };
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  const has = program =>
    spawnSync(program, ['--version'], { env: { ...process.env, PATH: path } }).error === undefined;
  const missing = Object.keys(packages).filter(program => !has(program));
  if (missing.length === 0) return;
  const wanted = missing.map(program => packages[program]);
  if (process.getuid?.() === 0 && has('apt-get')) {
    say(`installing ${wanted.join(', ')} (once)`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...parameters) =>
      spawnSync('apt-get', ['-qq', ...parameters], { stdio: ['ignore', 'ignore', 'inherit'], env });
    apt('update');
    if (apt('install', '-y', '--no-install-recommends', ...wanted).status === 0) return;
  }
  say(
    `${missing.join(', ')} not found: the tests that need them are skipped. Install ${wanted.join(', ')} to run them.`,
  );
}

function leftFiles() {
  // Caches are made by whatever runs; a database in the default state folder is made by a test that forgot to name its own.
  const isCache = name =>
    name === 'node-compile-cache' ||
    (name === 'default-home' && !readdirSync(join(temporary, name)).some(entry => entry.startsWith('data-')));
  return readdirSync(temporary)
    .filter(name => !isCache(name))
    .map(name => `file ${name} in the temporary folder`);
}

function leftProcesses() {
  if (process.platform !== 'linux') return [];
  const found = [];
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      // Servers of VS Code have a folder below it.
      if (
        environment.some(entry => entry === `TMPDIR=${temporary}` || entry.startsWith(`TMPDIR=${temporary}/`))
      ) {
        found.push(
          `process ${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').slice(0, 200)}`,
        );
        process.kill(Number(pid), 'SIGKILL');
      }
    } catch {
      // The process ended while it was looked at, or belongs to another user.
    }
  }
  return found;
}

function finish({ passed, failed }) {
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}
