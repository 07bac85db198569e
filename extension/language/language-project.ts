/** One project that is being edited: its analysis, what the runner knows besides, and what the editor was told. */
import { readFileSync } from 'node:fs';
import { formatPath, type NodeGraph, type NodePath } from '../../runner/model.ts';
import type { Analysis, Diagnostic, StaticNodeGraph } from '../analysis/analysis.ts';
import { AnalysisProject } from '../analysis/analysis-project.ts';
import { type MergedNode, mergeGraphs } from '../analysis/merge-graphs.ts';
import { isSameJson, toMessages } from './editor-nodes.ts';
import { Names, type Subject } from './names.ts';
import { NodeIndex } from './node-index.ts';
import { uriOf } from './place.ts';
import type { LoadedGraphMessage, NodeOutcome, PipelinesMessage } from './protocol.ts';
import { SourceTexts } from './source-text.ts';

export interface LanguageProjectOptions {
  /** As the editor names it. */
  readonly folder: string;
  /** Absolute. */
  readonly directory: string;
  /** For each computation, to end it when it is about an old text. */
  readonly signal?: () => AbortSignal;
  /** What `import 'millrace'` gives; default: the API itself. */
  readonly api?: Readonly<Record<string, unknown>>;
}

/** What changed for the editor. */
export interface Changes {
  readonly pipelines: readonly PipelinesMessage[];
  /** Where the analysis and the loaded graph do not agree. */
  readonly differences: readonly string[];
}

interface Loaded {
  readonly root: NodeGraph;
  readonly isIncomplete: boolean;
  /** The pipelines as they were analysed when the graph came. */
  analysed: ReadonlyMap<string, StaticNodeGraph> | undefined;
  areDifferencesTold: boolean;
}

interface Merge {
  readonly analysis: Analysis;
  readonly loaded: Loaded | undefined;
  readonly root: MergedNode;
  readonly differences: readonly string[];
}

export class LanguageProject implements Subject {
  readonly folder: string;
  readonly directory: string;
  readonly texts: SourceTexts;
  readonly #project: AnalysisProject;
  readonly #signal: () => AbortSignal;
  readonly #outcomes = new Map<string, NodeOutcome>();
  /** What the editor was told of each pipeline, and of each file. */
  readonly #told = new Map<string, MergedNode>();
  readonly #toldDiagnostics = new Map<string, string>();
  #toldRest = '';
  #revision = 0;
  #loaded: Loaded | undefined;
  #open: ReadonlySet<string> = new Set();
  #analysis: Analysis | undefined;
  #sqlDiagnostics: readonly Diagnostic[] | undefined;
  #index: NodeIndex | undefined;
  #names: Names | undefined;
  #merged: Merge | undefined;

  constructor({ folder, directory, signal, api }: LanguageProjectOptions) {
    this.folder = folder;
    this.directory = directory;
    this.#signal = signal ?? (() => new AbortController().signal);
    this.#project = new AnalysisProject({ directory, api });
    this.texts = new SourceTexts(file => this.#project.read(file));
  }

  /** A file is edited (`text`), or what is on the disk counts (`undefined`). */
  update(file: string, text: string | undefined): void {
    const open = new Set(this.#open);
    if (text === undefined) open.delete(file);
    else open.add(file);
    this.#open = open;
    this.#project.update(file, text);
  }

  /** @throws StaleError when the text has changed meanwhile */
  get analysis(): Analysis {
    const analysis = withUniqueIds(this.#project.analysis(this.#signal()));
    if (analysis !== this.#analysis) {
      this.#analysis = analysis;
      this.#index = undefined;
      this.#names = undefined;
    }
    return analysis;
  }

  get index(): NodeIndex {
    const { root } = this.analysis;
    return (this.#index ??= new NodeIndex(root));
  }

  get names(): Names {
    const { analysis } = this;
    if (this.#names?.analysis !== analysis) this.#names = new Names(this);
    return this.#names;
  }

  sources(): readonly string[] {
    return this.#project.sources();
  }

  analysisWith(texts: ReadonlyMap<string, string>): Analysis {
    return withUniqueIds(this.#project.analysisWith(texts, this.#signal()));
  }

  setLoadedGraph({ root, errors }: LoadedGraphMessage): void {
    if (root === null) {
      this.#loaded = undefined;
      return;
    }
    this.#loaded = { root, isIncomplete: errors.length > 0, analysed: undefined, areDifferencesTold: false };
  }

  /** The pipelines as they are now, without those of which the text is not saved: that is not what was loaded. */
  #savedPipelines({ files, root }: Analysis): Map<string, StaticNodeGraph> {
    const dirty = new Set([...this.#open].filter(file => this.#project.read(file) !== readText(file)));
    const stale = new Set(files.filter(({ file }) => dirty.has(file)).flatMap(({ pipelines }) => pipelines));
    return new Map(root.nodes.filter(({ id }) => !stale.has(id)).map(node => [node.id, node]));
  }

  setOutcomes(outcomes: readonly NodeOutcome[]): void {
    for (const outcome of outcomes) this.#outcomes.set(formatPath(outcome.path), outcome);
  }

  outcomeOf(path: NodePath): NodeOutcome | undefined {
    return this.#outcomes.get(formatPath(path));
  }

  /** The graph with what is known from loading it. */
  get merged(): MergedNode {
    return this.#merge().root;
  }

  /** What the editor does not know yet. */
  changes(): Changes {
    const { root, differences } = this.#merge();
    const loaded = this.#loaded;
    const isNews = loaded !== undefined && !loaded.areDifferencesTold;
    if (loaded !== undefined) loaded.areDifferencesTold = true;
    return {
      pipelines: this.#pipelineChanges(root),
      differences: isNews ? differences : [],
    };
  }

  /** The mistakes of the project; those of its SQL once they are known. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.analysis.diagnostics, ...(this.#sqlDiagnostics ?? [])];
  }

  /** Whether the SQL was ever read. */
  get isSqlKnown(): boolean {
    return this.#sqlDiagnostics !== undefined;
  }

  /**
   * Reads the SQL of the project as it is now.
   *
   * @throws StaleError when the text has changed meanwhile
   */
  async readSql(): Promise<void> {
    this.#sqlDiagnostics = (await this.#project.sqlAnalysis(this.#signal())).diagnostics;
  }

  /** What an editor is told before the first analysis is there. */
  beginning(): PipelinesMessage {
    return this.#message({ changed: [], parts: [], removed: [], last: true, complete: false });
  }

  #merge(): Merge {
    const { analysis } = this;
    const loaded = this.#loaded;
    if (this.#merged?.analysis === analysis && this.#merged.loaded === loaded) return this.#merged;
    const uncertain = new Set(
      analysis.files
        .filter(({ status, mayFail }) => status === 'dynamic' || status === 'failed' || mayFail !== undefined)
        .flatMap(({ pipelines }) => pipelines),
    );
    if (loaded !== undefined) loaded.analysed ??= this.#savedPipelines(analysis);
    const current = new Map(analysis.root.nodes.map(node => [node.id, node]));
    const { root, differences } = mergeGraphs(analysis.root, loaded?.root, {
      isIncomplete: loaded?.isIncomplete === true,
      isStale: id => loaded?.analysed?.get(id) !== current.get(id),
      isUncertain: id => uncertain.has(id),
    });
    return (this.#merged = { analysis, loaded, root, differences });
  }

  #pipelineChanges(root: MergedNode): PipelinesMessage[] {
    const changed: MergedNode[] = [];
    const ids = new Set<string>();
    for (const node of root.nodes) {
      ids.add(node.id);
      const told = this.#told.get(node.id);
      if (told === node) continue;
      if (told === undefined || !isSameJson(told, node)) changed.push(node);
      this.#told.set(node.id, node);
    }
    const removed = [...this.#told.keys()].filter(id => !ids.has(id));
    for (const id of removed) this.#told.delete(id);
    const rest = JSON.stringify([
      root.nodes.map(({ id }) => id),
      this.analysis.files,
      this.analysis.databases,
    ]);
    const isFirst = this.#revision <= 1;
    if (changed.length === 0 && removed.length === 0 && rest === this.#toldRest && !isFirst) return [];
    this.#toldRest = rest;
    const messages = toMessages(changed);
    this.#revision++;
    return messages.map(({ changed: nodes, parts }, index) => {
      const last = index === messages.length - 1;
      return this.#message(
        { changed: nodes, parts, removed: last ? removed : [], last, complete: true },
        root,
      );
    });
  }

  #message(
    given: Pick<PipelinesMessage, 'changed' | 'parts' | 'removed' | 'last' | 'complete'>,
    root?: MergedNode,
  ): PipelinesMessage {
    if (root === undefined) this.#revision++;
    const { folder, directory } = this;
    const isWhole = root !== undefined && given.last;
    return {
      folder,
      directory,
      revision: this.#revision,
      ...given,
      order: isWhole ? root.nodes.map(({ id }) => id) : [],
      files: isWhole
        ? this.analysis.files.map(({ file, status, reason, pipelines }) => ({
            uri: uriOf(file),
            status,
            ...(reason === undefined ? {} : { reason }),
            pipelines,
          }))
        : [],
      databases: isWhole ? (this.analysis.databases ?? null) : null,
    };
  }

  /** The mistakes of every file that has others than the editor knows. */
  diagnosticChanges(): Map<string, readonly Diagnostic[]> {
    const byFile = Map.groupBy(this.diagnostics, ({ location }) => location.file);
    const changes = new Map<string, readonly Diagnostic[]>();
    for (const [file, diagnostics] of byFile) {
      const text = JSON.stringify(diagnostics);
      if (this.#toldDiagnostics.get(file) === text) continue;
      this.#toldDiagnostics.set(file, text);
      changes.set(file, diagnostics);
    }
    for (const file of [...this.#toldDiagnostics.keys()]) {
      if (byFile.has(file)) continue;
      this.#toldDiagnostics.delete(file);
      changes.set(file, []);
    }
    return changes;
  }
}

const unique = new WeakMap<Analysis, Analysis>();

/** Two files of which nothing is known have one placeholder each; here they need names of their own. */
function withUniqueIds(analysis: Analysis): Analysis {
  const known = unique.get(analysis);
  if (known !== undefined) return known;
  const seen = new Map<string, number>();
  const isUnique = new Set(analysis.root.nodes.map(({ id }) => id)).size === analysis.root.nodes.length;
  const nodes = isUnique
    ? analysis.root.nodes
    : analysis.root.nodes.map(node => {
        const count = (seen.get(node.id) ?? 0) + 1;
        seen.set(node.id, count);
        return count === 1 ? node : withTopId(node, `${node.id} (${count})`);
      });
  const result = isUnique ? analysis : { ...analysis, root: { ...analysis.root, nodes } };
  unique.set(analysis, result);
  return result;
}

function withTopId(node: StaticNodeGraph, id: string): StaticNodeGraph {
  const moved = (below: StaticNodeGraph): StaticNodeGraph => ({
    ...below,
    path: [id, ...below.path.slice(1)],
    nodes: below.nodes.map(moved),
  });
  return { ...moved(node), id };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not on the disk: a buffer that was never saved.
    return undefined;
  }
}
