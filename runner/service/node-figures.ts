/** What history says about nodes: averages, costs, last outcomes, run times. */
import { formatPath, isAtOrBelow, type NodePath } from '../model.ts';
import type { NodeFiguresRecord, NodeRunRecord, RunGrid, RunQuery, RunTimes } from '../records.ts';
import { nodeFigures, type NodeFigures } from '../scheduler/cost.ts';
import { averageDurations, averagePipelineDurations } from '../store/durations.ts';
import { lastOutcomes } from '../store/history.ts';
import { childrenInHistory, gridCells, newestOutcomes } from '../store/node-outcomes.ts';
import { searchRuns } from '../store/run-search.ts';
import type { Store } from '../store/store.ts';
import { findInPlan, nodesOfGraph } from './graph-plan.ts';
import type { ProjectGraph } from './project-graph.ts';
import { byPath, toNodeRunRecord, toRunPoint, toRunRecord } from './run-records.ts';
import { toSearch } from './run-queries.ts';
import { graphOf } from '../store/node-outcomes.ts';

const RECENT = 10;
/** Nodes that only history knows, for example what a parallel task made: so many are told of. */
const MOST_UNKNOWN = 1_000;
const COSTLIEST = 8;
/** Points of a line of a chart: more than a screen has columns. */
const MOST_POINTS = 2_000;
const GRID_RUNS = 30;

/** Figures of a node and everything below it, in the order of declaration. */
export async function readFigures(
  store: Store,
  project: ProjectGraph,
  path: NodePath,
): Promise<NodeFiguresRecord[]> {
  const { averages, figures } = await readCosts(store, project);
  const known = project.graph.nodes.filter(node => isAtOrBelow(node.path, path)).map(node => node.path);
  const paths = known.length > 1 ? known : [path, ...(await childrenInHistory(store, path, MOST_UNKNOWN))];
  const [last, recent] = await Promise.all([
    lastOutcomes(store, path),
    newestOutcomes(store, paths, RECENT),
  ]);
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
      recent: (recent.get(name) ?? []).map(toRunPoint),
    };
  });
}

interface Costs {
  readonly averages: ReadonlyMap<string, number>;
  readonly figures: ReadonlyMap<string, NodeFigures>;
}

async function readCosts(store: Store, { graph }: ProjectGraph): Promise<Costs> {
  // Costs depend on what follows a node, wherever that is in the tree.
  const [tasks, pipelines] = await Promise.all([
    averageDurations(store, []),
    averagePipelineDurations(store, []),
  ]);
  const averages = new Map([...pipelines, ...tasks]);
  const byIndex = nodeFigures(graph, averages);
  const figures = new Map<string, NodeFigures>();
  for (const { index, path } of graph.nodes) {
    const known = byIndex[index];
    if (known !== undefined) figures.set(formatPath(path), known);
  }
  return { averages, figures };
}

/** Run times of a node and of its costliest children, in the order of their costs. */
export async function readRunTimes(store: Store, project: ProjectGraph, path: NodePath): Promise<RunTimes[]> {
  const { averages, figures } = await readCosts(store, project);
  const declared = findInPlan(project.tree, path)?.children.map(child => child.path) ?? [];
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
    points: (outcomes.get(formatPath(node)) ?? []).map(toRunPoint),
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
  const rows = new Map<string, { readonly kind: RunGrid['nodes'][number]['kind']; readonly cells: Cell[] }>();
  const row = (name: string, kind: RunGrid['nodes'][number]['kind']): Cell[] => {
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
  const used = [...rows].filter(([, { cells }]) => cells.some(cell => cell !== null));
  return {
    runs: runs.map(toRunRecord),
    nodes: used.map(([name, { kind }]) => ({ path: name === '' ? [] : name.split('/'), kind })),
    cells: used.map(([, { cells }]) => cells),
  };
}

type Cell = RunGrid['cells'][number][number];
