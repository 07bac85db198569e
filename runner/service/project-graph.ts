/** The project's nodes as the newest runs knew them: what figures and costs are computed on without running its code. */
import { formatPath, type NodeGraph } from '../model.ts';
import { type PlanNode } from '../scheduler/plan.ts';
import { flatten, type RunGraph } from '../scheduler/run-graph.ts';
import { graphOf, newestRuns } from '../store/node-outcomes.ts';
import type { Store } from '../store/store.ts';
import { mergeGraphs } from './graph-plan.ts';

export interface ProjectGraph {
  readonly tree: PlanNode;
  readonly graph: RunGraph;
}

/** Pipelines whose graphs are put together; those that were run longest ago are left out. */
const MOST_PIPELINES = 200;

/** Reads each graph once: a graph may be several megabytes of JSON. */
export class ProjectGraphs {
  #graphs = new Map<number, NodeGraph | null>();
  #key = '';
  #current: Promise<ProjectGraph> | null = null;

  async read(store: Store): Promise<ProjectGraph> {
    const newest = (await newestRuns(store)).slice(-MOST_PIPELINES);
    // Whatever an earlier run of the whole project knew, and a run of a part that is newer.
    const key = newest.map(({ runId, path }) => `${String(runId)} ${formatPath(path)}`).join('\n');
    if (this.#current === null || key !== this.#key) {
      this.#key = key;
      this.#current = this.#merge(
        store,
        newest.map(({ runId }) => runId),
      );
      this.#current.catch(() => {
        this.#current = null; // the store went away in between
      });
    }
    return await this.#current;
  }

  async #merge(store: Store, runIds: readonly number[]): Promise<ProjectGraph> {
    const graphs = new Map<number, NodeGraph | null>();
    for (const id of runIds) {
      const known = this.#graphs.get(id);
      graphs.set(id, known === undefined ? await graphOf(store, id) : known);
    }
    this.#graphs = graphs;
    const tree = mergeGraphs([...graphs.values()].filter(graph => graph !== null));
    return { tree, graph: flatten(tree) };
  }
}
