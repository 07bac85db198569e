/**
 * npm run package [-- --target linux-x64,darwin-arm64 | --all | --file extension.vsix]
 *
 * Writes the extension's package for each platform (default: this one) to dist/vsix/millrace-<target>-<version>.vsix:
 * built anew, with the embedded Postgres of the platform and the licences of what is inside. Prints the sizes; fails
 * when one is above its limit, or when the package has a file that it must not have. `--file` gives the package of this
 * platform another name.
 */
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createVSIX } from '@vscode/vsce';
import { buildInto } from './build.mjs';
import { notices, packagesOf } from './notices.mjs';
import { packPostgres } from './pack-postgres.mjs';
import { root, say } from './setup.mjs';

/** For each target of VS Code: whose Postgres it gets, and the size in MB that its package must not exceed. */
const targets = {
  'linux-x64': { postgres: 'linux-x64', limit: 24 },
  'linux-arm64': { postgres: 'linux-arm64', limit: 24 },
  'linux-armhf': { postgres: 'linux-arm', limit: 24 },
  'darwin-x64': { postgres: 'darwin-x64', limit: 42 },
  'darwin-arm64': { postgres: 'darwin-arm64', limit: 42 },
  'win32-x64': { postgres: 'windows-x64', limit: 42 },
  // Windows runs programs for x64 there as well.
  'win32-arm64': { postgres: 'windows-x64', limit: 42 },
};

const { values } = parseArgs({
  options: { target: { type: 'string' }, all: { type: 'boolean', default: false }, file: { type: 'string' } },
});
const wanted = values.all
  ? Object.keys(targets)
  : (values.target ?? `${process.platform}-${process.arch}`).split(',');
const unknown = wanted.filter(name => targets[name] === undefined);
if (unknown.length > 0) {
  say(`no such target: ${unknown.join(', ')}; there are ${Object.keys(targets).join(', ')}`);
  process.exit(1);
}

if (values.file !== undefined && wanted.length > 1) {
  say('--file is for one package');
  process.exit(1);
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const output = join(root, 'dist', 'vsix');
mkdirSync(output, { recursive: true });
const staging = mkdtempSync(join(tmpdir(), 'millrace-package-'));
// Not by `finally`: what goes wrong inside vsce may end the process.
process.once('exit', () => rmSync(staging, { recursive: true, force: true }));
await stage();
const problems = [];
for (const target of wanted) {
  const postgres = await packPostgres(targets[target].postgres, join(staging, 'dist'));
  const file = join(output, values.file ?? `millrace-${target}-${version}.vsix`);
  await createVSIX({
    cwd: staging,
    packagePath: file,
    target,
    dependencies: false,
    allowMissingRepository: true,
    // The pages are inside.
    rewriteRelativeLinks: false,
  });
  const megabytes = size => (size / 1e6).toFixed(1);
  const size = statSync(file).size;
  say(`${file}: ${megabytes(size)} MB, of it Postgres ${megabytes(statSync(postgres).size)} MB`);
  const { limit } = targets[target];
  if (size > limit * 1e6)
    problems.push(`the package for ${target} has ${megabytes(size)} MB, more than its limit of ${limit} MB`);
  rmSync(postgres);
}
for (const problem of problems) say(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** Puts what .vscodeignore allows into a folder of its own, with fresh bundles. */
async function stage() {
  const allowed = readFileSync(join(root, '.vscodeignore'), 'utf8')
    .split('\n')
    .filter(line => line.startsWith('!') && !line.startsWith('!dist'))
    .map(line => line.slice(1));
  for (const name of globSync(allowed, { cwd: root }))
    if (statSync(join(root, name)).isFile()) cpSync(join(root, name), join(staging, name));
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const key of ['files', 'scripts', 'allowScripts', 'devDependencies', 'optionalDependencies'])
    delete manifest[key];
  writeFileSync(join(staging, 'package.json'), JSON.stringify(manifest, null, 2));
  const metafiles = await buildInto(join(staging, 'dist'));
  // Records for the next build.
  for (const name of globSync('dist/.built-*', { cwd: staging })) rmSync(join(staging, name));
  writeFileSync(join(staging, 'dist', 'third-party-notices.txt'), notices(packagesOf(metafiles)));
  checkStaged();
}

/** No file that gives away where it was built, and none that only a developer needs. */
function checkStaged() {
  for (const name of globSync('**/*', { cwd: staging })) {
    const file = join(staging, name);
    if (!statSync(file).isFile()) continue;
    if (/\.(map|tsbuildinfo|vsix|tgz|env)$/.test(name)) throw new Error(`${name} must not be in the package`);
    const content = readFileSync(file, 'latin1');
    for (const place of [`${root}/`, `${staging}/`, `${homedir()}/`])
      if (content.includes(place))
        throw new Error(`${name} names the folder ${place} of the machine it was built on`);
  }
}
