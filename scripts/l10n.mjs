/**
 * The texts that the extension shows, for translators: l10n/bundle.l10n.json is written from the calls of `t()` in
 * extension/. With --check it only says whether the file is up to date, and whether every %key% of package.json is in
 * package.nls.json and the other way round.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './setup.mjs';

const bundle = join(root, 'l10n', 'bundle.l10n.json');

/** Every literal that is passed to `t()`, and the places where something else is. */
export function messagesOf(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const messages = [];
  const faults = [];
  const visit = node => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 't') {
      const [message] = node.arguments;
      if (message !== undefined && ts.isStringLiteralLike(message)) messages.push(message.text);
      else {
        const { line } = tree.getLineAndCharacterOfPosition(node.getStart());
        faults.push(`${file}:${line + 1}: t() must be given a literal, so that it can be translated`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { messages, faults };
}

function main(isCheck) {
  const problems = [];
  const found = new Set();
  for (const file of globSync('extension/**/*.ts', { cwd: root }).sort()) {
    if (/^extension.(analysis|language).|^extension.l10n.ts$/.test(file)) continue;
    const { messages, faults } = messagesOf(file, readFileSync(join(root, file), 'utf8'));
    problems.push(...faults);
    for (const message of messages) found.add(message);
  }
  const text = `${JSON.stringify(Object.fromEntries([...found].sort().map(message => [message, message])), null, 2)}\n`;
  if (!isCheck) writeFileSync(bundle, text);
  else if (readFileSync(bundle, 'utf8') !== text)
    problems.push('l10n/bundle.l10n.json is not up to date: node scripts/l10n.mjs');

  const used = new Set(
    [...readFileSync(join(root, 'package.json'), 'utf8').matchAll(/"%([^"%]+)%"/g)].map(([, key]) => key),
  );
  const named = new Set(Object.keys(JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8'))));
  for (const key of used)
    if (!named.has(key)) problems.push(`package.nls.json has no "${key}", which package.json uses`);
  for (const key of named)
    if (!used.has(key)) problems.push(`package.json does not use "${key}" of package.nls.json`);
  for (const problem of problems) process.stderr.write(`millrace: ${problem}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

if (import.meta.main) main(process.argv.includes('--check'));
