/**
 * Which texts of the source name which nodes. What the evaluation has noted (the options of a node, the places of the
 * edges) says it for most of them; for the others it is tried out: the analysis is asked what the graph would be if the
 * text were another one. So a text names a node when the graph depends on it, however it gets there.
 */
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { Analysis } from '../analysis/analysis.ts';
import { type SourceFile, ts } from '../analysis/syntax.ts';
import { differences, type Influence, influenceOf } from './graph-difference.ts';
import type { IndexedNode, NodeIndex } from './node-index.ts';
import { isSameRange, rangeOfLocation } from './place.ts';
import {
  type Literal,
  literalAt,
  literalsIn,
  nodeIn,
  optionOf,
  rangeOfNode,
  type SourceTexts,
  type Stretch,
} from './source-text.ts';

/** What names are looked up in. */
export interface Subject {
  readonly analysis: Analysis;
  readonly index: NodeIndex;
  readonly texts: SourceTexts;
  /** Files that the graph is made from. */
  sources(): readonly string[];
  /** The analysis if files had other texts. */
  analysisWith(texts: ReadonlyMap<string, string>): Analysis;
}

/** A text that names nodes. */
export interface Use extends Stretch {
  /** It gives the id, or refers to it. */
  readonly role: 'id' | 'reference';
  readonly targets: readonly NodePath[];
}

/** All texts that name some nodes which have one id. */
export interface Uses {
  readonly id: string;
  /** More than were asked for, when one text names several. */
  readonly targets: readonly NodePath[];
  readonly uses: readonly Use[];
  /** What else may refer to them: the graph depends on it in another way. */
  readonly doubtful: readonly Stretch[];
}

/** Methods that find a node by its path or id. */
const lookups = new Set(['find', 'get', 'has', 'remove', 'replace']);

/** Trying out costs an evaluation each. */
const mostProbes = 60;

export class Names {
  /** What it holds for. */
  readonly analysis: Analysis;
  readonly #subject: Subject;
  readonly #probes = new Map<string, Influence>();

  constructor(subject: Subject) {
    this.analysis = subject.analysis;
    this.#subject = subject;
  }

  /** The text at an offset, and the nodes that it names. */
  at(file: string, offset: number): Use | undefined {
    const source = this.#subject.texts.source(file);
    if (source === undefined) return undefined;
    const literal = literalAt(source, offset);
    if (literal === undefined) return undefined;
    const segment = segmentsOf(literal).find(({ start, end }) => start <= offset && offset <= end);
    return segment === undefined ? undefined : this.#useOf(file, source, literal, segment);
  }

  /** Where the id of a node is written; where the node is made if it is put together by the program. */
  definitionOf({ node }: IndexedNode): Stretch | undefined {
    const { location } = node;
    if (location === undefined) return undefined;
    const source = this.#subject.texts.source(location.file);
    if (source === undefined) return undefined;
    const made = nodeIn(source, rangeOfLocation(location));
    if (made === undefined) return undefined;
    const id = optionOf(made, 'id');
    if (id !== undefined && ts.isStringLiteralLike(id) && id.text === node.id)
      return { file: location.file, start: id.getStart(source) + 1, end: id.end - 1 };
    return { file: location.file, start: made.getStart(source), end: made.end };
  }

  /** All texts that name some nodes, which have the same id. */
  usesOf(targets: readonly NodePath[]): Uses {
    const id = targets[0]?.at(-1) ?? '';
    const wanted = new Map(targets.map(path => [formatPath(path), path]));
    const candidates = this.#candidates(id);
    const found = new Map<(typeof candidates)[number], Use>();
    // A text that names another node besides makes it one of them, with all texts that name it.
    for (let size = -1; size !== wanted.size + found.size;) {
      size = wanted.size + found.size;
      for (const candidate of candidates) {
        const use =
          found.get(candidate) ?? this.#useOf(candidate.file, candidate.source, candidate.literal, candidate);
        if (use?.targets.some(path => wanted.has(formatPath(path))) !== true) continue;
        found.set(candidate, use);
        for (const path of use.targets) wanted.set(formatPath(path), path);
      }
    }
    const doubtful = candidates.filter(
      candidate => !found.has(candidate) && this.#probes.get(keyOf(candidate))?.isOther === true,
    );
    return { id, targets: [...wanted.values()], uses: [...found.values()], doubtful };
  }

  /**
   * How the graph would differ, apart from the ids, if some texts said another id.
   *
   * @param newId the id that the targets then have
   */
  differencesWith({ targets }: Uses, stretches: readonly Stretch[], newId: string): string[] {
    const { analysis } = this.#subject;
    const after = this.#subject.analysisWith(this.edited(stretches, newId));
    return differences(analysis.root, after.root, targets, newId);
  }

  /** The texts of files in which some stretches say something else. */
  edited(stretches: readonly Stretch[], text: string): Map<string, string> {
    const texts = new Map<string, string>();
    for (const { file, start, end } of stretches.toSorted((a, b) => b.start - a.start)) {
      const current = texts.get(file) ?? this.#subject.texts.text(file) ?? '';
      texts.set(file, current.slice(0, start) + text + current.slice(end));
    }
    return texts;
  }

  #candidates(id: string): (Stretch & { readonly source: SourceFile; readonly literal: Literal })[] {
    const { texts } = this.#subject;
    return this.#subject.sources().flatMap(file => {
      if (!/\.(?:[mc]?[tj]s|json)$/.test(file) || texts.text(file)?.includes(id) !== true) return [];
      const source = texts.source(file);
      if (source === undefined) return [];
      return [...literalsIn(source)].flatMap(literal =>
        isModuleName(literal)
          ? []
          : segmentsOf(literal)
              .filter(segment => segment.text === id)
              .map(({ start, end }) => ({ file, start, end, source, literal })),
      );
    });
  }

  #useOf(
    file: string,
    source: SourceFile,
    literal: Literal,
    { start, end }: { readonly start: number; readonly end: number },
  ): Use | undefined {
    const stretch: Stretch = { file, start, end };
    const isWhole = start === literal.start && end === literal.end;
    const exact = isWhole ? this.#exactUse(stretch, source, literal) : undefined;
    if (exact !== undefined) return exact;
    const text = source.text.slice(start, end);
    if (isModuleName(literal) || !this.#isAnId(text)) return undefined;
    const influence = this.#probe(stretch, text);
    if (influence === undefined) return undefined;
    const { ids, references, isOther } = influence;
    if (ids.length > 0) return { ...stretch, role: 'id', targets: [...ids, ...references] };
    if (references.length > 0) return { ...stretch, role: 'reference', targets: references };
    const found = isOther ? this.#lookedUp(literal, end) : undefined;
    return found === undefined ? undefined : { ...stretch, role: 'reference', targets: [found] };
  }

  /** What the evaluation has noted about a text. */
  #exactUse(stretch: Stretch, source: SourceFile, { node, text }: Literal): Use | undefined {
    const { index } = this.#subject;
    const { file } = stretch;
    const { parent } = node;
    const isId =
      ts.isPropertyAssignment(parent) && parent.initializer === node && parent.name.getText(source) === 'id';
    if (isId) {
      const made = parent.parent.parent;
      if (ts.isNewExpression(made) || ts.isCallExpression(made)) {
        const nodes = index.madeAt(file, rangeOfNode(source, made));
        if (nodes.length > 0 && nodes.every(({ node: { id } }) => id === text))
          return { ...stretch, role: 'id', targets: nodes.map(({ path }) => path) };
      }
    }
    const isString = ts.isStringLiteralLike(node);
    const range = rangeOfNode(source, node);
    const outer =
      ts.isCallExpression(parent) && parent.arguments.length === 2 ? rangeOfNode(source, parent) : undefined;
    const targets = new Map<string, NodePath>();
    for (const edge of isString ? index.edges(file) : []) {
      const isPlain = isSameRange(edge.range, range) && edge.upstream === text;
      const isInCall = outer !== undefined && isSameRange(edge.range, outer);
      const [first, second] = isInCall && ts.isCallExpression(parent) ? parent.arguments : [];
      if (isPlain || (first === node && edge.upstream === text)) {
        const path = [...edge.node.path.slice(0, -1), text];
        targets.set(formatPath(path), path);
      } else if (second === node && edge.node.node.id === text) {
        targets.set(formatPath(edge.node.path), edge.node.path);
      }
    }
    return targets.size === 0 ? undefined : { ...stretch, role: 'reference', targets: [...targets.values()] };
  }

  /** The node that a call looks up by its path or id, where only one can be meant. */
  #lookedUp({ node, text, start }: Literal, end: number): NodePath | undefined {
    const { parent } = node;
    if (!ts.isCallExpression(parent) || !ts.isPropertyAccessExpression(parent.expression)) return undefined;
    if (!lookups.has(parent.expression.name.text)) return undefined;
    const ids = text.slice(0, end - start).split('/');
    const found = [...this.#subject.index.all].filter(
      ({ path }) => path.length > ids.length && ids.every((id, index) => path.at(index - ids.length) === id),
    );
    return found.length === 1 ? found[0]?.path : undefined;
  }

  #isAnId(text: string): boolean {
    for (const { node } of this.#subject.index.all) if (node.id === text) return true;
    return false;
  }

  #probe(stretch: Stretch, id: string): Influence | undefined {
    const key = keyOf(stretch);
    const known = this.#probes.get(key);
    if (known !== undefined) return known;
    if (this.#probes.size >= mostProbes) return undefined;
    const other = `${id}__other`;
    const after = this.#subject.analysisWith(this.edited([stretch], other));
    const influence = influenceOf(this.#subject.analysis.root, after.root, id, other);
    this.#probes.set(key, influence);
    return influence;
  }
}

/** The parts of a path, or the whole text. */
function segmentsOf({
  text,
  start,
}: Literal): { readonly text: string; readonly start: number; readonly end: number }[] {
  let at = start;
  return text.split('/').map(part => {
    const segment = { text: part, start: at, end: at + part.length };
    at = segment.end + 1;
    return segment;
  });
}

function isModuleName({ node: { parent } }: Literal): boolean {
  return ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isImportTypeNode(parent);
}

function keyOf({ file, start, end }: Stretch): string {
  return `${file}:${start}-${end}`;
}
