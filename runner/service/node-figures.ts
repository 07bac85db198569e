/** What history says about nodes: averages, costs, last outcomes, run times. */
import { formatPath, isAtOrBelow, type NodePath } from '../model.ts';
import type { NodeFiguresRecord, NodeRunRecord, RunGrid, RunQuery, RunTimes } from '../records.ts';
import { nodeFigures, type AverageDurations, type NodeFigures } from '../scheduler/cost.ts';
import type { RunGraph } from '../scheduler/run-graph.ts';
import { lastOutcomes } from '../store/history.ts';
import { childrenInHistory, graphOf, gridCells, newestOutcomes } from '../store/node-outcomes.ts';
import { searchRuns } from '../store/run-search.ts';
import type { Store } from '../store/store.ts';
import { findInPlan, nodesOfGraph } from './graph-plan.ts';
import type { ProjectGraph } from './project-graph.ts';
import { byPath, toNodeRunRecord, toRunRecord } from './run-records.ts';
import { toSearch } from './run-queries.ts';

const RECENT = 10;
/** Nodes that only history knows, for example what a parallel task made: so many are told of. */
const MOST_UNKNOWN = 1_000;
const COSTLIEST = 8;
/** Points of a line of a chart: more than a screen has columns. */
const MOST_POINTS = 2_000;
const GRID_RUNS = 30;

/** What is known of all nodes of the project. */
export interface Known extends ProjectGraph {
  /** Average seconds by path as `a/b`. */
  readonly averages: AverageDurations;
}

/** Figures of a node and everything below it, in the order of declaration. */
export async function readFigures(
  store: Store,
  { graph, averages }: Known,
  path: NodePath,
): Promise<NodeFiguresRecord[]> {
  const figures = figuresByPath(graph, averages);
  const known = graph.nodes.filter(node => isAtOrBelow(node.path, path)).map(node => node.path);
  const paths = known.length > 1 ? known : [path, ...(await childrenInHistory(store, path, MOST_UNKNOWN))];
  const [last, recent] = await Promise.all([lastOutcomes(store, path), newestOutcomes(store, paths, RECENT)]);
  const lastByPath: ReadonlyMap<string, NodeRunRecord> = byPath(last.map(toNodeRunRecord));
  return paths.map(node => {
    const name = formatPath(node);
    const figure = figures.get(name);
    const average = averages.get(name) ?? null;
    return {
      path: node,
      averageDuration: average,
      averageRunTime: figure?.averageRunTime ?? average,
      cost: figure?.cost ?? average ?? 0,
      last: lastByPath.get(name) ?? null,
      recent: recent.get(name) ?? [],
    };
  });
}

function figuresByPath(graph: RunGraph, averages: AverageDurations): Map<string, NodeFigures> {
  const byIndex = nodeFigures(graph, averages);
  const figures = new Map<string, NodeFigures>();
  for (const { index, path } of graph.nodes) {
    const known = byIndex[index];
    if (known !== undefined) figures.set(formatPath(path), known);
  }
  return figures;
}

/** Run times of a node and of its costliest children, in the order of their costs. */
export async function readRunTimes(
  store: Store,
  { graph, tree, averages }: Known,
  path: NodePath,
): Promise<RunTimes[]> {
  const figures = figuresByPath(graph, averages);
  const declared = findInPlan(tree, path)?.children.map(child => child.path) ?? [];
  const children = declared.length > 0 ? declared : await childrenInHistory(store, path, MOST_UNKNOWN);
  const costOf = (child: NodePath): number => {
    const name = formatPath(child);
    return figures.get(name)?.cost ?? averages.get(name) ?? 0;
  };
  const costliest = children.toSorted((a, b) => costOf(b) - costOf(a)).slice(0, COSTLIEST);
  const shown = [path, ...costliest];
  const outcomes = await newestOutcomes(store, shown, MOST_POINTS);
  return shown.map(node => ({
    path: node,
    points: outcomes.get(formatPath(node)) ?? [],
  }));
}

/** Nodes × runs. */
export async function readGrid(store: Store, query: RunQuery): Promise<RunGrid> {
  const path = query.path ?? [];
  const runs = (await searchRuns(store, { ...toSearch(query), limit: query.limit ?? GRID_RUNS })).reverse();
  const ids = runs.map(run => run.runId);
  const newest = ids.at(-1);
  const [cellsOfRuns, graph] = await Promise.all([
    gridCells(store, ids, path),
    newest === undefined ? null : graphOf(store, newest),
  ]);
  const rows = new Map<string, { readonly kind: Kind; readonly cells: Cell[] }>();
  const row = (name: string, kind: Kind): Cell[] => {
    const known = rows.get(name);
    if (known !== undefined) return known.cells;
    const cells: Cell[] = ids.map(() => null);
    rows.set(name, { kind, cells });
    return cells;
  };
  for (const node of graph === null ? [] : nodesOfGraph(graph))
    if (node.kind !== 'dynamic' && isAtOrBelow(node.path, path)) row(formatPath(node.path), node.kind);
  // Newest first, so that what only older runs had comes last.
  ids.toReversed().forEach((id, back) => {
    const column = ids.length - 1 - back;
    for (const cell of cellsOfRuns.get(id) ?? []) row(cell.path, cell.kind)[column] = cell.status;
  });
  const used = inTreeOrder([...rows].filter(([, { cells }]) => cells.some(cell => cell !== null)));
  return {
    runs: runs.map(toRunRecord),
    nodes: used.map(([name, { kind }]) => ({ path: name === '' ? [] : name.split('/'), kind })),
    cells: used.map(([, { cells }]) => cells),
  };
}

type Kind = RunGrid['nodes'][number]['kind'];
type Cell = RunGrid['cells'][number][number];
type Row = readonly [name: string, { readonly kind: Kind; readonly cells: readonly Cell[] }];

/** What parallel tasks made stands behind them; the order is otherwise as it is. */
function inTreeOrder(rows: readonly Row[]): readonly Row[] {
  const parallel = new Set(rows.flatMap(([name, { kind }]) => (kind === 'parallel' ? name : [])));
  if (parallel.size === 0) return rows;
  const made = Map.groupBy(rows, ([name]) => {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1))
      if (parallel.has(name.slice(0, end))) return name.slice(0, end);
    return null;
  });
  const placed = (row: Row): readonly Row[] => [row, ...(made.get(row[0]) ?? []).flatMap(placed)];
  return (made.get(null) ?? []).flatMap(placed);
}
