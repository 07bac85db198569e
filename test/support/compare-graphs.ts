/** Holds the static analysis of a project against what the loader gives. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Analysis, StaticCommandGraph, StaticNodeGraph } from '../../extension/analysis/analysis.ts';
import type { LoadedFile } from '../../runner/loader/load-project.ts';
import type { LoadProblem } from '../../runner/loader/load-problem.ts';
import { type CommandGraph, formatPath, type NodeGraph, type SourceLocation } from '../../runner/model.ts';

/** What the loader says of a project. */
export interface Loaded {
  readonly graph?: NodeGraph;
  readonly problems?: readonly LoadProblem[];
  readonly files?: readonly LoadedFile[];
  /** The configuration cannot be used. */
  readonly error?: string;
}

export interface Comparison {
  /** Nodes below the root that are the same in every respect. */
  readonly exact: number;
  /** Nodes that loading gives and for which a placeholder, or a mark on the node, stands. */
  readonly flagged: number;
  /** What the analysis says and loading does not, or the reverse, without the analysis having said that it may be so. */
  readonly wrong: readonly string[];
}

/** Loads projects in one process; the answers in their order. */
export async function loadProjects(directories: readonly string[]): Promise<Loaded[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [new URL('load-graphs.ts', import.meta.url).pathname, ...directories],
    { maxBuffer: 500_000_000 },
  );
  // What the projects print themselves comes between.
  return stdout
    .split('\n')
    .filter(line => /^\{"(?:graph|error)":/.test(line))
    .map(line => JSON.parse(line) as Loaded);
}

export function compareGraphs(analysis: Analysis, loaded: Loaded): Comparison {
  const comparison = new GraphComparison(analysis);
  comparison.run(loaded);
  return comparison;
}

class GraphComparison implements Comparison {
  exact = 0;
  flagged = 0;
  readonly wrong: string[] = [];
  readonly #analysis: Analysis;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  run(loaded: Loaded): void {
    const { graph, problems = [] } = loaded;
    if (graph === undefined) return;
    const failedFiles = new Set(
      problems
        .filter(({ severity }) => severity === 'error')
        .map(problem => problem.pipelineFile ?? problem.file),
    );
    const isUncertain = this.#analysis.files.some(
      ({ status, mayFail }) => status === 'dynamic' || mayFail !== undefined,
    );
    for (const { file, status, mayFail } of this.#analysis.files) {
      const hasFailed = failedFiles.has(file) && !isDuplicate(problems, file);
      if (status === 'failed' && !hasFailed)
        this.wrong.push(`${file} is loaded, but the analysis says that it fails`);
      if (
        hasFailed &&
        status !== 'failed' &&
        status !== 'dynamic' &&
        mayFail === undefined &&
        status !== 'partial'
      ) {
        const [problem] = problems;
        this.wrong.push(`${file} fails, but the analysis does not say so: ${problem?.message ?? ''}`);
      }
    }
    // What was made before a promise was rejected is there nevertheless.
    const rejecting = new Set(
      problems
        .filter(({ message }) => message.startsWith('A promise is rejected and nothing handles it'))
        .map(problem => problem.pipelineFile ?? problem.file),
    );
    // What is shown of a file that cannot be loaded is a help for who is typing; nothing loaded can confirm it.
    const shown = this.#analysis.root.nodes.filter(({ id }) => {
      const file = this.#analysis.files.find(({ pipelines }) => pipelines.includes(id));
      if (file !== undefined && rejecting.has(file.file)) return true;
      return file === undefined || (file.status !== 'failed' && !failedFiles.has(file.file));
    });
    this.#children({ ...this.#analysis.root, nodes: shown }, graph, isUncertain);
  }

  #children(known: StaticNodeGraph, loaded: NodeGraph, isUncertain: boolean): void {
    const hasPlaceholder = isUncertain || known.nodes.some(({ kind }) => kind === 'dynamic');
    const byId = new Map(known.nodes.map(node => [node.id, node]));
    for (const node of loaded.nodes) {
      const own = byId.get(node.id);
      if (own === undefined) {
        if (hasPlaceholder) this.flagged += count(node);
        else this.wrong.push(`${formatPath(node.path)} is missing`);
      } else if (own.kind === 'dynamic') {
        this.flagged += count(node);
      } else {
        this.#node(own, node, known, isUncertain);
      }
    }
    const ids = new Set(loaded.nodes.map(({ id }) => id));
    const certain = known.nodes.filter(({ kind }) => kind !== 'dynamic');
    for (const node of certain) {
      if (!ids.has(node.id) && !isUncertain) this.wrong.push(`${formatPath(node.path)} does not exist`);
    }
    const order = certain.map(({ id }) => id).filter(id => ids.has(id));
    const loadedOrder = loaded.nodes.map(({ id }) => id).filter(id => order.includes(id));
    if (order.join() !== loadedOrder.join())
      this.wrong.push(
        `the order below "${formatPath(known.path)}" is ${order.join()}, not ${loadedOrder.join()}`,
      );
  }

  #node(known: StaticNodeGraph, loaded: NodeGraph, parent: StaticNodeGraph, isUncertain: boolean): void {
    const path = formatPath(loaded.path);
    const before = this.wrong.length;
    const unknown = new Set((known.unknown ?? []).map(({ option }) => option));
    const differ = (option: string, a: unknown, b: unknown): void => {
      if (unknown.has(option) || JSON.stringify(a) === JSON.stringify(b)) return;
      this.wrong.push(`${path}: ${option} is ${JSON.stringify(a)}, not ${JSON.stringify(b)}`);
    };
    for (const option of [
      'kind',
      'path',
      'description',
      'labels',
      'maxParallelTasks',
      'maxRetries',
      'timeout',
      'onFailure',
      'params',
    ] as const) {
      differ(option, known[option], loaded[option]);
    }
    const isDynamic = (id: string): boolean => parent.nodes.find(node => node.id === id)?.kind === 'dynamic';
    const isPartly = known.upstreams.some(isDynamic) || unknown.has('upstreams');
    if (isPartly) {
      for (const id of known.upstreams) {
        const isSure = !isDynamic(id) && !unknown.has('upstreams');
        if (isSure && !loaded.upstreams.includes(id)) this.wrong.push(`${path} does not wait for ${id}`);
      }
    } else {
      differ('upstreams', known.upstreams, loaded.upstreams);
    }
    if (known.location !== undefined && loaded.location !== undefined) {
      const { file } = known.location;
      const place = [loaded.location.file, ...startOf(known.location, loaded.location)];
      differ('location', [file, ...startOf(known.location, known.location)], place);
    }
    if (!unknown.has('commands')) this.#commands(path, known.commands, loaded.commands);
    if (this.wrong.length === before) {
      if (unknown.size > 0 || isPartly || hasUnknownCommand(known)) this.flagged++;
      else this.exact++;
    }
    this.#children(known, loaded, isUncertain);
  }

  #commands(
    path: string,
    known: readonly StaticCommandGraph[] | null,
    loaded: readonly CommandGraph[] | null,
  ): void {
    if (known === null || loaded === null) {
      if (known !== loaded) this.wrong.push(`${path}: only one of the two knows the commands`);
      return;
    }
    const shown = (list: readonly StaticCommandGraph[]): unknown =>
      list.map(({ kind, summary, location }, index) => [
        known[index]?.kind === 'dynamic' ? 'dynamic' : kind,
        known[index]?.reason === undefined ? summary : undefined,
        known[index]?.reason === undefined ? startOf(known[index]?.location, location) : undefined,
      ]);
    if (JSON.stringify(shown(known)) === JSON.stringify(shown(loaded))) return;
    this.wrong.push(
      `${path}: commands are ${JSON.stringify(shown(known))}, not ${JSON.stringify(shown(loaded))}`,
    );
  }
}

/** Where something stands. Of `api.make()` the loader says where `make` stands: that is inside of the range. */
function startOf(
  range: SourceLocation | undefined,
  place: SourceLocation | undefined,
): (number | undefined)[] {
  const isInside =
    range?.column !== undefined &&
    place?.column !== undefined &&
    range.line === place.line &&
    range.column < place.column &&
    (range.endLine !== place.line || place.column < (range.endColumn ?? 0));
  return isInside ? [range.line, range.column] : [place?.line, place?.column];
}

function isDuplicate(problems: readonly LoadProblem[], file: string): boolean {
  return problems.some(
    problem => problem.file === file && /^Both |^The file exports two pipelines/.test(problem.message),
  );
}

function hasUnknownCommand({ commands }: StaticNodeGraph): boolean {
  return commands?.some(({ reason }) => reason !== undefined) === true;
}

function count(node: NodeGraph): number {
  return node.nodes.reduce((sum, child) => sum + count(child), 1);
}
