/**
 * Runs test/extension/*.test.ts inside a real extension host and writes how many passed and failed to the file that
 * MILLRACE_TEST_RESULTS names.
 *
 *   node test/extension/support/main.ts [file …] [--vsix FILE] [--vscode oldest] [--grep text] [--electron]
 *
 * Default: code-server's newest VS Code with the extension of the checkout. `--vsix`: the installed package.
 * `--electron`: a VS Code that @vscode/test-electron downloads, where that is possible.
 */
import { globSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runTests } from '@vscode/test-electron';
import { stopSharedServer, temporaryHome } from '../../support/store.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { launchBrowser } from '../../workbench/support/browser.ts';
import { startServer } from '../../workbench/support/server.ts';
import { bundleTests, inSources } from './bundle.ts';
import { readResults, type TestResults } from './results.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const installed = join(root, 'test', 'extension', 'installed');
/** For everything; a test has a limit of its own. */
const longest = 20 * 60_000;

interface Plan {
  readonly folder: string;
  /** The extension under development. */
  readonly development: string;
  readonly tests: string;
  readonly vsix: string | undefined;
  readonly version: 'newest' | 'oldest';
  readonly env: Readonly<Record<string, string | undefined>>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    vsix: { type: 'string' },
    vscode: { type: 'string', default: 'newest' },
    grep: { type: 'string' },
    electron: { type: 'boolean', default: false },
  },
});
const report = process.env['MILLRACE_TEST_RESULTS'];
let failed = 1;
try {
  const { host, tests } = await runSuite();
  failed = print(tests);
  process.stdout.write(`${host}\n`);
  if (report !== undefined)
    await writeFile(report, JSON.stringify({ passed: tests.length - failed, failed }));
} finally {
  await stopSharedServer();
}
process.exitCode = failed > 0 ? 1 : 0;

async function runSuite(): Promise<TestResults> {
  await using temporary = await temporaryFolder();
  const files = positionals.length > 0 ? positionals : globSync('test/extension/**/*.test.ts', { cwd: root });
  const tests = await bundleTests(
    files.map(file => resolve(root, file)),
    temporary.path,
  );
  const results = join(temporary.path, 'results.json');
  // Tests change the project, so it is a copy.
  const folder = join(temporary.path, 'demo');
  await cp(join(root, 'examples', 'demo'), folder, { recursive: true });
  const plan: Plan = {
    folder,
    development: values.vsix === undefined ? root : installed,
    tests,
    vsix: values.vsix,
    version: values.vscode === 'oldest' ? 'oldest' : 'newest',
    env: {
      MILLRACE_TEST_RESULTS: results,
      MILLRACE_TEST_GREP: values.grep,
      MILLRACE_HOME: await temporaryHome(),
      MILLRACE_STORE_URL: undefined,
    },
  };
  const log = values.electron ? await runInElectron(plan, temporary.path) : await runInServer(plan);
  for (const [, figure] of log.matchAll(/figure: (.*)/g)) process.stdout.write(`${figure ?? ''}\n`);
  try {
    const { host, tests: ended } = await readResults(results);
    const mapped = ended.map(async test =>
      test.error === undefined ? test : { ...test, error: await inSources(test.error, tests) },
    );
    return { host, tests: await Promise.all(mapped) };
  } catch (cause) {
    throw new Error(`the extension host has left no results; it said:\n${log}`, { cause });
  }
}

/** @returns what the extension host has written to its console */
async function runInServer({ folder, development, tests, vsix, version, env }: Plan): Promise<string> {
  await using server = await startServer({
    version,
    runsTests: true,
    env,
    ...(vsix === undefined ? {} : { extension: { vsix } }),
  });
  const browser = await launchBrowser({ offline: true });
  try {
    const page = await browser.newPage();
    const log: string[] = [];
    const end = Promise.withResolvers<null>();
    // The workbench calls these two, when they are there, for tests of VS Code's own.
    await page.exposeFunction('codeAutomationLog', (type: string, args: readonly unknown[]) => {
      log.push(`[${type}] ${args.join(' ')}`);
    });
    await page.exposeFunction('codeAutomationExit', () => {
      end.resolve(null);
    });
    page.on('crash', () => {
      end.reject(new Error('the page of the workbench has crashed'));
    });
    const patience = setTimeout(() => {
      end.reject(new Error(`the tests have not ended; the extension host said:\n${log.join('\n')}`));
    }, longest);
    try {
      await page.goto(server.address({ folder, development: { extension: development, tests } }));
      await end.promise;
    } finally {
      clearTimeout(patience);
    }
    return log.join('\n');
  } finally {
    await browser.close();
  }
}

async function runInElectron(
  { folder, development, tests, vsix, version, env }: Plan,
  temporary: string,
): Promise<string> {
  if (vsix !== undefined) throw new Error('--electron tests the checkout; --vsix is for code-server');
  await runTests({
    version: version === 'oldest' ? '1.104.0' : 'stable',
    extensionDevelopmentPath: development,
    extensionTestsPath: tests,
    extensionTestsEnv: env,
    launchArgs: [
      folder,
      '--disable-extensions',
      '--disable-workspace-trust',
      `--user-data-dir=${join(temporary, 'data')}`,
    ],
  }).catch((error: unknown) => {
    // Failing tests end VS Code with a status that is no news.
    process.stderr.write(`${String(error)}\n`);
  });
  return 'see above';
}

function print(tests: TestResults['tests']): number {
  const failures = tests.filter(({ state }) => state === 'failed');
  for (const { title, state } of tests) if (state === 'pending') process.stdout.write(`skipped: ${title}\n`);
  for (const { title, error = '' } of failures)
    process.stdout.write(`FAILED: ${title}\n${error.replaceAll(/^/gm, '    ')}\n\n`);
  return failures.length;
}
