/** What differs between two graphs of a project, of which the second may have other ids for some nodes. */
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { StaticNodeGraph } from '../analysis/analysis.ts';

/** What becomes of the nodes when one text of the source is another one. */
export interface Influence {
  /** Nodes whose id the text is. */
  readonly ids: readonly NodePath[];
  /** Nodes that the text refers to. */
  readonly references: readonly NodePath[];
  /** It changes something else. */
  readonly isOther: boolean;
}

/**
 * @param before the graph as it is
 * @param after the graph in which a text that says `id` says `other` instead; no node has that id otherwise
 */
export function influenceOf(
  before: StaticNodeGraph,
  after: StaticNodeGraph,
  id: string,
  other: string,
): Influence {
  const ids: NodePath[] = [];
  const references: NodePath[] = [];
  let isOther = false;
  const visit = (a: StaticNodeGraph, b: StaticNodeGraph): void => {
    if (a === b) return;
    const partners = new Map(b.nodes.map(node => [node.id, node]));
    const named = a.nodes.find(node => node.id === id);
    const isRenamed = named !== undefined && !partners.has(id) && partners.has(other);
    if (isRenamed) ids.push(named.path);
    for (const child of a.nodes) {
      const partner = partners.get(child === named && isRenamed ? other : child.id);
      if (partner === undefined) {
        isOther = true;
        continue;
      }
      if (named !== undefined && child.upstreams.includes(id)) {
        const isLost = !partner.upstreams.includes(id) && !partner.upstreams.includes(other);
        if (isLost && !isRenamed) references.push(named.path);
      }
      if (ownPart(child) !== ownPart(partner)) isOther = true;
      visit(child, partner);
    }
    if (b.nodes.length !== a.nodes.length) isOther = true;
  };
  visit(before, after);
  return { ids, references, isOther };
}

/**
 * What the second graph says otherwise, as parts of a sentence.
 *
 * @param renamed nodes of the first graph that have the id `newId` in the second one
 */
export function differences(
  before: StaticNodeGraph,
  after: StaticNodeGraph,
  renamed: readonly NodePath[],
  newId: string,
): string[] {
  const paths = new Set(renamed.map(formatPath));
  const found: string[] = [];
  const visit = (a: StaticNodeGraph, b: StaticNodeGraph): void => {
    if (a === b) return;
    const newIds = new Map(
      a.nodes.map(node => [node.id, paths.has(formatPath(node.path)) ? newId : node.id]),
    );
    const wanted = a.nodes.map(({ id }) => newIds.get(id) ?? id);
    const given = b.nodes.map(({ id }) => id);
    const missing = wanted.find(id => !given.includes(id));
    const added = given.find(id => !wanted.includes(id));
    if (missing !== undefined) found.push(`${placeOf(a)} would lose "${missing}"`);
    else if (added !== undefined) found.push(`${placeOf(a)} would get "${added}"`);
    else if (wanted.join() !== given.join())
      found.push(`the order of the nodes in ${placeOf(a)} would change`);
    const partners = new Map(b.nodes.map(node => [node.id, node]));
    for (const child of a.nodes) {
      const partner = partners.get(newIds.get(child.id) ?? child.id);
      if (partner === undefined) continue;
      const path = `"${formatPath(child.path)}"`;
      const upstreams = child.upstreams.map(id => newIds.get(id) ?? id);
      if (upstreams.join() !== partner.upstreams.join()) found.push(`what ${path} waits for would change`);
      for (const [name, value] of Object.entries(parts(child))) {
        if (JSON.stringify(value) !== JSON.stringify(parts(partner)[name]))
          found.push(`${name} of ${path} would change`);
      }
      visit(child, partner);
    }
  };
  visit(before, after);
  return found;
}

function placeOf({ path }: StaticNodeGraph): string {
  return path.length === 0 ? 'the project' : `"${formatPath(path)}"`;
}

function ownPart(node: StaticNodeGraph): string {
  return JSON.stringify(parts(node));
}

/** What a node is apart from its id, its place and what it waits for. */
function parts(node: StaticNodeGraph): Record<string, unknown> {
  const { kind, description, labels, commands, maxParallelTasks, maxRetries, timeout, onFailure, params } =
    node;
  return {
    'the kind': [kind, node.occurrence, node.reason],
    'the description': description,
    'a label': labels,
    'a command': commands?.map(command => [command.kind, command.summary, command.reason]) ?? null,
    'an option': [maxParallelTasks, maxRetries, timeout, onFailure, params],
    'what is known': node.unknown?.map(({ option, reason }) => [option, reason]),
  };
}
