/** Lists of runs as pages ask for them. */
import type { RunList, RunQuery } from '../records.ts';
import { countRuns, searchRuns, type RunSearch } from '../store/run-search.ts';
import type { Store } from '../store/store.ts';
import { toRunRecord } from './run-records.ts';

/** More do not make a page. */
const MOST_RUNS = 1_000;

export function toSearch({ since, limit, ...query }: RunQuery): RunSearch {
  return {
    ...query,
    ...(since !== undefined && { since: new Date(since) }),
    ...(limit !== undefined && { limit: Math.min(MOST_RUNS, limit) }),
  };
}

export async function readRunList(store: Store, query: RunQuery): Promise<RunList> {
  const search = toSearch(query);
  const [runs, counts] = await Promise.all([searchRuns(store, search), countRuns(store, search)]);
  return { runs: runs.map(toRunRecord), ...counts };
}
