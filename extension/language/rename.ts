/** Renames nodes: every text that gives or uses the id, checked against what the graph is afterwards. */
import { basename } from 'node:path';
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { IndexedNode } from './node-index.ts';
import type { Names, Subject, Use, Uses } from './names.ts';
import { touches } from './place.ts';
import { nodeIn, optionOf, type Stretch } from './source-text.ts';

/** Why something cannot be renamed, for the user. */
export class RenameError extends Error {
  override readonly name = 'RenameError';
}

/** The stretches that have to say the new id. */
export interface Rename {
  readonly stretches: readonly Stretch[];
  readonly newId: string;
}

/**
 * The text that would be renamed; `undefined` where there is none that concerns Millrace.
 *
 * @throws RenameError where there is an id that the program puts together
 */
export function prepareRename(subject: Subject, names: Names, file: string, offset: number): Use | undefined {
  const use = names.at(file, offset);
  if (use !== undefined) return use;
  const node = nodeWithComposedId(subject, file, offset);
  if (node !== undefined) throw composed(node);
  return undefined;
}

/** @throws RenameError when the id cannot be renamed without changing anything else */
export function rename(
  subject: Subject,
  names: Names,
  { file, offset }: { readonly file: string; readonly offset: number },
  newId: string,
): Rename {
  const use = prepareRename(subject, names, file, offset);
  if (use === undefined) throw new RenameError('There is no id of a pipeline or task here.');
  const uses = names.usesOf(use.targets);
  if (uses.id === newId) return { stretches: [], newId };
  checkNewId(subject, uses, newId);
  checkEvaluated(subject, uses.targets);
  for (const target of uses.targets) {
    const hasText = uses.uses.some(
      ({ role, targets }) => role === 'id' && targets.some(path => formatPath(path) === formatPath(target)),
    );
    const node = subject.index.get(target);
    if (!hasText && node !== undefined) throw composed(node);
  }
  let stretches: readonly Stretch[] = uses.uses;
  let left = names.differencesWith(uses, stretches, newId);
  for (const doubtful of left.length === 0 ? [] : uses.doubtful) {
    const more = [...stretches, doubtful];
    const then = names.differencesWith(uses, more, newId);
    if (then.length < left.length) [stretches, left] = [more, then];
    if (left.length === 0) break;
  }
  const [first] = left;
  if (first !== undefined) {
    throw new RenameError(
      `"${uses.id}" cannot be renamed to "${newId}", because more than the id depends on it: ${first}. Change the code by hand.`,
    );
  }
  return { stretches, newId };
}

function checkNewId(subject: Subject, { id, targets }: Uses, newId: string): void {
  if (!/^[a-z0-9_]+$/.test(newId)) {
    throw new RenameError(`"${newId}" is no valid id. Use lower-case letters, digits and "_".`);
  }
  for (const target of targets) {
    const sibling = [...target.slice(0, -1), newId];
    if (subject.index.get(sibling) === undefined) continue;
    const pipeline = formatPath(target.slice(0, -1));
    const owner = pipeline === '' ? 'The project' : `Pipeline "${pipeline}"`;
    throw new RenameError(
      `${owner} already has a node with the id "${newId}", so "${id}" cannot have it too.`,
    );
  }
}

/** Where the evaluation ends early, there may be texts that it knows nothing of. */
function checkEvaluated({ analysis }: Subject, targets: readonly NodePath[]): void {
  for (const [top] of targets) {
    const file = analysis.files.find(({ pipelines }) => pipelines.includes(top ?? ''));
    if (file?.status !== 'dynamic') continue;
    throw new RenameError(
      `What ${basename(file.file)} makes is known only in part (it depends on ${file.reason ?? 'code that is not evaluated'}), so a rename could miss something. Change the code by hand.`,
    );
  }
}

function composed({ node }: IndexedNode): RenameError {
  const { location } = node;
  const where = location === undefined ? '' : ` (${basename(location.file)}:${location.line})`;
  return new RenameError(
    `The id "${node.id}" is put together by the program${where}, so it cannot be renamed. Change the code that makes it.`,
  );
}

/** The node whose id is an expression that an offset lies in. */
function nodeWithComposedId(
  { index, texts }: Subject,
  file: string,
  offset: number,
): IndexedNode | undefined {
  const source = texts.source(file);
  if (source === undefined) return undefined;
  const position = source.getLineAndCharacterOfPosition(offset);
  for (const { range, nodes } of index.made(file)) {
    const [node] = nodes;
    if (node === undefined || !touches(range, position)) continue;
    const made = nodeIn(source, range);
    const id = made === undefined ? undefined : optionOf(made, 'id');
    if (id !== undefined && id.getStart(source) <= offset && offset <= id.end) return node;
  }
  return undefined;
}
