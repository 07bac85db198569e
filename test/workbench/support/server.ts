/** A throw-away VS Code on 127.0.0.1: a profile of its own, a workbench for the browser, a Node extension host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { waitUntil } from '../../support/wait.ts';
import { installedVscode, type Vscode, type VscodeVersion } from './vscode.ts';

/** No welcome page, nothing that asks other machines, nothing that moves by itself. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'typescript.disableAutomaticTypeAcquisition': true,
  'update.mode': 'none',
  'window.titleBarStyle': 'native',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'window.autoDetectColorScheme': false,
  'window.autoDetectHighContrast': false,
  'workbench.tips.enabled': false,
};

export type Settings = Readonly<Record<string, unknown>>;

export interface ServerOptions {
  /** Default: `newest`. */
  readonly version?: VscodeVersion;
  /** An unpacked extension, used as if it were installed; or a package, which is installed. */
  readonly extension?: { readonly folder: string } | { readonly vsix: string };
  readonly settings?: Settings;
  /** Added to the environment of the extension host. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Makes VS Code load the extension and the tests that an address names; it hides notifications while it is on.
   * Default: false.
   */
  readonly runsTests?: boolean;
  /** Trust of workspaces is asked for; otherwise every folder is trusted. Default: false. */
  readonly workspaceTrust?: boolean;
}

export interface AddressOptions {
  /** A folder or a `.code-workspace` file; without it, an empty window. */
  readonly folder?: string;
  /** Opened at once. */
  readonly file?: string;
  /** Extension under development, and the module whose `run()` tests it; with `runsTests` only. */
  readonly development?: { readonly extension: string; readonly tests: string };
}

export interface VscodeServer extends AsyncDisposable {
  readonly vscode: Vscode;
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** User data, extensions, temporary files; gone afterwards. */
  readonly profile: string;
  /** What the server has said. */
  log(): Promise<string>;
  address(options: AddressOptions): string;
  /**
   * Settings of the remote machine, which count before those of the user and are taken over at once; those of before
   * stay, `undefined` removes one. Settings that only a user may have cannot be changed.
   */
  changeSettings(settings: Settings): Promise<void>;
}

export async function startServer(options: ServerOptions = {}): Promise<VscodeServer> {
  const vscode = await installedVscode(options.version ?? 'newest');
  // Short, because paths of Unix sockets end at 107 characters.
  const profile = await mkdtemp(join(tmpdir(), 'vs-'));
  // Below it are the temporary files of the extension host: as root, Postgres runs there under another account.
  await chmod(profile, 0o755);
  try {
    return await startIn(profile, vscode, options);
  } catch (error) {
    await rm(profile, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(profile: string, vscode: Vscode, options: ServerOptions): Promise<VscodeServer> {
  const { extension, env = {}, runsTests = false, workspaceTrust = false } = options;
  const paths = {
    data: join(profile, 'data'),
    extensions: join(profile, 'extensions'),
    config: join(profile, 'config.yaml'),
    temporary: join(profile, 't'),
    log: join(profile, 'server.log'),
    settings: join(profile, 'data', 'User', 'settings.json'),
    // Those of the remote machine count before those of the user, and only of them a running window sees changes.
    changed: join(profile, 'data', 'Machine', 'settings.json'),
  };
  for (const directory of [
    dirname(paths.settings),
    dirname(paths.changed),
    paths.extensions,
    paths.temporary,
  ])
    await mkdir(directory, { recursive: true });
  // Otherwise ~/.config/code-server/config.yaml is written and read.
  await writeFile(paths.config, '{}\n');
  const settings: Settings = {
    ...quietSettings,
    ...(workspaceTrust ? { 'security.workspace.trust.enabled': true } : {}),
    ...options.settings,
  };
  await writeFile(paths.settings, JSON.stringify(settings, null, 2));
  let changes: Settings = {};
  await writeFile(paths.changed, '{}');

  const environment = serverEnvironment(paths.temporary, env);
  const flags = [
    ...['--config', paths.config],
    ...['--user-data-dir', paths.data],
    ...['--extensions-dir', paths.extensions],
  ];
  if (extension !== undefined) {
    if ('folder' in extension) await linkExtension(paths.extensions, extension.folder);
    else await installExtension(vscode, flags, extension.vsix, environment);
  }

  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const known = readFileSync(join(vscode.entry, '..', 'cli.js'), 'utf8');
  // Older ones refuse flags that they do not know.
  const ifKnown = (flag: string, value: string): string[] =>
    known.includes(`"${flag.slice(2)}": {`) ? [flag, value] : [];
  const log = await open(paths.log, 'a');
  const child = spawn(
    vscode.node,
    [
      vscode.entry,
      ...flags,
      ...['--bind-addr', host],
      ...['--auth', 'none'],
      '--disable-telemetry',
      '--disable-update-check',
      '--disable-getting-started-override',
      '--ignore-last-opened',
      ...(workspaceTrust ? [] : ['--disable-workspace-trust']),
      // Default: an extension host that nobody uses stays for three hours. A reload of the window must find it.
      ...ifKnown('--reconnection-grace-time', '5'),
      ...ifKnown('--idle-timeout-seconds', '900'),
      ...(runsTests ? ifKnown('--vscode-option', 'enable-smoke-test-driver') : []),
    ],
    // A process group of its own, so that the extension hosts end with it.
    { stdio: ['ignore', log.fd, log.fd], env: environment, detached: true },
  );
  await log.close();
  const { pid } = child;
  let ended = false;
  child.once('exit', () => (ended = true));
  if (pid === undefined) {
    await once(child, 'error').then(([error]) => Promise.reject(error as Error));
    throw new Error('code-server has no process');
  }
  const signal = (name: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-pid, name);
    } catch {
      return false;
    }
  };
  const killAtExit = (): void => {
    signal('SIGKILL');
  };
  const endOnSignal = (): void => {
    process.exit(1);
  };
  process.once('exit', killAtExit);
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.once(name, endOnSignal);
  const stop = async (): Promise<void> => {
    signal('SIGTERM');
    const patience = AbortSignal.timeout(5_000);
    patience.addEventListener('abort', killAtExit);
    await waitUntil(() => !signal(0));
    patience.removeEventListener('abort', killAtExit);
    process.off('exit', killAtExit);
    for (const name of ['SIGTERM', 'SIGHUP'] as const) process.off(name, endOnSignal);
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await waitUntil(async () => {
      if (ended) throw new Error(`code-server ended early:\n${await readFile(paths.log, 'utf8')}`);
      return await fetch(`http://${host}/healthz`).then(
        response => response.ok,
        () => false,
      );
    });
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    vscode,
    host,
    profile,
    log: async () => await readFile(paths.log, 'utf8'),
    address: parts => address(host, parts),
    async changeSettings(changed) {
      changes = { ...changes, ...changed };
      // Aside first: a file that is read while it is written would be an empty one.
      await writeFile(`${paths.changed}.new`, JSON.stringify(changes, null, 2));
      await rename(`${paths.changed}.new`, paths.changed);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** TMPDIR: sockets and caches of VS Code go with the profile. No marketplace, so no look-ups of one. */
function serverEnvironment(
  temporary: string,
  added: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
  const outer = Object.entries(process.env).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_V8_COVERAGE$|npm_|MOCHA_)/.test(name),
  );
  return {
    ...Object.fromEntries(outer),
    TMPDIR: temporary,
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    ...added,
  };
}

/** VS Code scans the folder of extensions once, on its first start. */
async function linkExtension(extensions: string, folder: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    readonly publisher: string;
    readonly name: string;
    readonly version: string;
  };
  const name = `${manifest.publisher}.${manifest.name}-${manifest.version}`;
  await symlink(resolve(folder), join(extensions, name));
}

async function installExtension(
  { node, entry }: Vscode,
  flags: readonly string[],
  vsix: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (!existsSync(vsix)) throw new Error(`there is no ${vsix}; npm run package writes it`);
  const child = spawn(node, [entry, ...flags, '--force', '--install-extension', resolve(vsix)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || !output.includes('successfully installed'))
    throw new Error(`${vsix} could not be installed:\n${output}`);
}

function address(host: string, { folder, file, development }: AddressOptions): string {
  const remote = (path: string): string => `vscode-remote://${host}${resolve(path)}`;
  const payload = [
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
    ...(file === undefined ? [] : [['openFile', remote(file)]]),
    ...(development === undefined
      ? []
      : [
          ['extensionDevelopmentPath', remote(development.extension)],
          ['extensionTestsPath', remote(development.tests)],
        ]),
  ];
  const query = new URLSearchParams({ payload: JSON.stringify(payload) });
  if (folder === undefined) query.set('ew', 'true');
  else query.set(folder.endsWith('.code-workspace') ? 'workspace' : 'folder', resolve(folder));
  return `http://${host}/?${query.toString()}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const found = server.address();
  if (found === null || typeof found === 'string') throw new Error('no port was given');
  server.close();
  await once(server, 'close');
  return found.port;
}
