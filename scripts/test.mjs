// `npm test [-- suite … | file … | --grep text]`: installs and builds what is missing, checks formatting, types and lint,
// runs the tests, and fails when one of them left a process or a file behind. Prints `N passed, N failed` at the end.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, pinnedNode, root, say } from './setup.mjs';

const suites = ['unit', 'store', 'runner'];
const given = process.argv.slice(2);
const isOption = (argument, index) => argument.startsWith('-') || given[index - 1] === '--grep';
const named = given.filter((argument, index) => !isOption(argument, index));
const options = given.filter(isOption);
const selected = named.filter(name => suites.includes(name));
const files = named.filter(name => !suites.includes(name));
const globs =
  files.length > 0 && selected.length === 0
    ? files
    : (selected.length > 0 ? selected : suites).map(suite => `test/${suite}/**/*.test.ts`);

ensureInstalled();
ensureBuilt();
ensurePrograms();
if (given.length === 0) {
  const check = spawnSync(pinnedNode(), [join(root, 'scripts', 'check.mjs')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (check.status !== 0) finish({ passed: 0, failed: 1 });
}

// Everything that tests write to a temporary place goes below one folder, so that what is left can be seen. The name is
// short, because paths of Unix sockets are limited to 107 bytes.
const temporary = mkdtempSync(join(tmpdir(), 'mt-'));
// As root, the Postgres servers of the tests run under another account.
chmodSync(temporary, 0o755);
const results = join(temporary, 'results.json');
say(`testing ${globs.join(', ')}`);
const mocha = spawnSync(
  pinnedNode(),
  [
    join(root, 'node_modules', 'mocha', 'bin', 'mocha.js'),
    '--parallel',
    '--jobs',
    String(Math.max(2, availableParallelism())),
    '--timeout',
    '60000',
    '--forbid-only',
    '--reporter',
    join(root, 'test', 'support', 'reporter.mjs'),
    ...options,
    ...globs,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      TMPDIR: temporary,
      MILLRACE_HOME: join(temporary, 'default-home'),
      MILLRACE_TEST_RESULTS: results,
    },
  },
);

let counts;
try {
  counts = JSON.parse(readFileSync(results, 'utf8'));
  rmSync(results);
} catch {
  say(`the test runner ended early (exit code ${mocha.status}, signal ${mocha.signal})`);
  counts = { passed: 0, failed: 1 };
}
if (mocha.status !== 0 && counts.failed === 0) counts.failed = 1;
for (const left of [...leftFiles(), ...leftProcesses()]) {
  say(`a test left behind: ${left}`);
  counts.failed += 1;
}
rmSync(temporary, { recursive: true, force: true });
finish(counts);

/** Databases and clients that tests drive: installed where that is possible, otherwise their tests are skipped. */
function ensurePrograms() {
  const packages = {
    mariadbd: 'mariadb-server',
    mariadb: 'mariadb-client',
    sqlite3: 'sqlite3',
    psql: 'postgresql-client',
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
      if (environment.includes(`TMPDIR=${temporary}`)) {
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
