/** Links from the names of files in options to the files. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DocumentLink } from 'vscode-languageserver/node';
import { type SyntaxNode, ts } from '../analysis/syntax.ts';
import type { LanguageProject } from './language-project.ts';
import type { IndexedNode } from './node-index.ts';
import { contains, rangeOfLocation, uriOf } from './place.ts';
import type { Range } from './protocol.ts';
import { literalsIn, nodeIn, optionOf, rangeBetween } from './source-text.ts';

const fileOptions = new Set(['sqlFile', 'otherSqlFile', 'file', 'fileDependencies']);

export function documentLinks(project: LanguageProject, file: string): DocumentLink[] {
  const source = project.texts.source(file);
  if (source === undefined) return [];
  const links: DocumentLink[] = [];
  for (const { node, text, start, end } of literalsIn(source)) {
    if (!isFileName(node) || text === '') continue;
    const range = rangeBetween(source, start, end);
    const target = basesOf(project, file, range)
      .map(base => resolve(base, text))
      .find(path => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
    if (target !== undefined) links.push({ range, target: uriOf(target), tooltip: 'Open the file' });
  }
  return links;
}

/** Whether a string is the value of an option that names a file, or one of several. */
function isFileName(node: SyntaxNode): boolean {
  if (!ts.isStringLiteralLike(node)) return false;
  const value = ts.isArrayLiteralExpression(node.parent) ? node.parent : node;
  const { parent } = value;
  return (
    ts.isPropertyAssignment(parent) &&
    parent.initializer === value &&
    !ts.isComputedPropertyName(parent.name) &&
    fileOptions.has(parent.name.text)
  );
}

/** The directories that a name may be relative to, the likeliest first. */
function basesOf(project: LanguageProject, file: string, range: Range): string[] {
  const { index, analysis, directory } = project;
  const owners = new Set<IndexedNode>();
  for (const node of index.all) {
    const commands = node.node.commands ?? [];
    const isOwner = [node.node.location, ...commands.map(({ location }) => location)].some(
      location => location?.file === file && contains(rangeOfLocation(location), range),
    );
    if (isOwner) owners.add(node);
  }
  const bases = [...owners].map(node => {
    const top = analysis.files.find(({ pipelines }) => pipelines.includes(node.path[0] ?? ''));
    let base = dirname(top?.file ?? file);
    const chain: IndexedNode[] = [];
    for (let at: IndexedNode | undefined = node; at !== undefined; at = at.parent) chain.unshift(at);
    for (const each of chain) base = resolve(base, basePathOf(project, each) ?? '.');
    return base;
  });
  return [...new Set([...bases, dirname(file), directory])];
}

/** The option `basePath` where a pipeline is made, if it is written there. */
function basePathOf(project: LanguageProject, { node: { kind, location } }: IndexedNode): string | undefined {
  const source =
    kind === 'pipeline' && location !== undefined ? project.texts.source(location.file) : undefined;
  if (source === undefined || location === undefined) return undefined;
  const made = nodeIn(source, rangeOfLocation(location));
  const option = made === undefined ? undefined : optionOf(made, 'basePath');
  return option !== undefined && ts.isStringLiteralLike(option) ? option.text : undefined;
}
