/** The licences of what is shipped inside the bundles and beside them, as one text. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** @param packages folders of npm packages, relative to the repository, whose code is in a bundle */
export function notices(packages) {
  const texts = [...packages].sort().map(packageNotice);
  const postgres = readFileSync(join(root, 'scripts', 'notices-postgres.md'), 'utf8');
  return ['Millrace contains work of others, under these licences.', ...texts, `${postgres.trim()}\n`].join(
    '\n\n================================================================================\n\n',
  );
}

function packageNotice(folder) {
  const directory = join(root, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const files = readdirSync(directory).filter(file =>
    /^(licen[cs]e|copying|notice|third.?party)/i.test(file),
  );
  const texts = files.map(file => readFileSync(join(directory, file), 'utf8').trim());
  return [`${name} ${version} (${license})`, ...texts].join('\n\n');
}

/** The npm packages of which a build has used a file. */
export function packagesOf(metafiles) {
  const found = new Set();
  for (const { inputs } of metafiles)
    for (const path of Object.keys(inputs)) {
      const folder = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (folder !== undefined && existsSync(join(root, folder, 'package.json'))) found.add(folder);
    }
  return found;
}
