/**
 * Writes the table of settings into README.md and docs/editor.md, between the marks, from package.json. With --check it
 * only says whether they are up to date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const marks = ['<!-- settings: written by scripts/settings-table.mjs -->', '<!-- end of settings -->'];
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const texts = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8'));

const textOf = value => value.replace(/^%(.*)%$/, (_, key) => texts[key] ?? key);

function rows() {
  const restricted = new Set(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations);
  return manifest.contributes.configuration.flatMap(({ properties }) =>
    Object.entries(properties).map(([name, setting]) => {
      const choices =
        setting.enum === undefined
          ? ''
          : ` ${setting.enum.map((value, index) => `\`${value}\`: ${textOf(setting.markdownEnumDescriptions[index])}`).join(' ')}`;
      const trust = restricted.has(name) ? ' Ignored in folders that are not trusted.' : '';
      const standard =
        setting.default === '' ? 'empty' : `\`${JSON.stringify(setting.default).replace(/^"|"$/g, '')}\``;
      return `| \`${name}\` | ${standard} | ${textOf(setting.markdownDescription)}${choices}${trust} |`;
    }),
  );
}

const table = ['| setting | default | meaning |', '| --- | --- | --- |', ...rows()].join('\n');
const problems = [];
for (const name of ['README.md', 'docs/editor.md']) {
  const file = join(root, name);
  if (!existsSync(file)) continue;
  const before = readFileSync(file, 'utf8');
  const [begin, end] = marks.map(mark => before.indexOf(mark));
  if (begin < 0 || end < 0) continue;
  const after = `${before.slice(0, begin)}${marks[0]}\n\n${table}\n\n${before.slice(end)}`;
  if (after === before) continue;
  if (process.argv.includes('--check'))
    problems.push(`the table of settings in ${name} is not up to date: node scripts/settings-table.mjs`);
  else writeFileSync(file, after);
}
for (const problem of problems) process.stderr.write(`millrace: ${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
