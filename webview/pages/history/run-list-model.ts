/** The runs that fit a query, page by page, kept up to date by what is pushed. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RunList, RunQuery, RunRecord } from '../../../runner/records.ts';
import { RequestError } from '../../connection.ts';
import { usePage, usePushed } from '../../page.ts';

const PAGE = 100;
/** After a change it is asked again at most so often: ms. */
const PACE = 500;

export interface RunListState {
  /** `null` before the first answer. */
  readonly list: RunList | null;
  readonly isLoading: boolean;
  readonly error: { readonly message: string; readonly code: string } | null;
  readonly reload: () => void;
  readonly loadMore: () => void;
}

interface Held {
  readonly key: string;
  readonly list: RunList | null;
  readonly isLoading: boolean;
  readonly error: RunListState['error'];
}

export function useRunList(query: RunQuery): RunListState {
  const { connection, store } = usePage();
  const key = JSON.stringify(query);
  const [held, setHeld] = useState<Held>({ key, list: null, isLoading: true, error: null });
  const turn = useRef(0);
  const latest = useRef({ query, key, held });
  latest.current = { query, key, held };

  const ask = useCallback(
    (kind: 'first' | 'again' | 'more') => {
      const own = ++turn.current;
      const { query: asked, key: askedKey, held: before } = latest.current;
      const last = before.list?.runs.at(-1)?.runId;
      const loaded = before.key === askedKey ? (before.list?.runs.length ?? 0) : 0;
      setHeld(state => ({ ...state, isLoading: true }));
      connection
        .request('runs', {
          ...asked,
          limit: kind === 'again' ? Math.max(PAGE, loaded) : PAGE,
          ...(kind === 'more' && last !== undefined && { before: last }),
        })
        .then(
          list => {
            if (own !== turn.current) return;
            setHeld(state => ({
              key: askedKey,
              list:
                kind === 'more' && state.list !== null
                  ? { ...list, runs: [...state.list.runs, ...list.runs] }
                  : list,
              isLoading: false,
              error: null,
            }));
          },
          (error: unknown) => {
            if (own !== turn.current) return;
            const { message, code } =
              error instanceof RequestError ? error : { message: String(error), code: 'internal' };
            // What is there stays.
            setHeld(state => ({ ...state, isLoading: false, error: { message, code } }));
          },
        );
    },
    [connection],
  );

  useLayoutEffect(() => {
    ask('first');
  }, [key, ask]);
  const isAway = held.error?.code === 'store';
  useEffect(() => {
    if (isAway && store.kind === 'ready') ask('again');
  }, [store.kind]);

  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  usePushed('runs', ({ changed }) => {
    const byId = new Map(changed.map(run => [run.runId, run]));
    setHeld(state =>
      state.list === null
        ? state
        : {
            ...state,
            list: {
              ...state.list,
              runs: state.list.runs.map((run): RunRecord => byId.get(run.runId) ?? run),
            },
          },
    );
    // Whether others come in or go out only the store knows.
    timer.current ??= setTimeout(() => {
      timer.current = null;
      ask('again');
    }, PACE);
  });
  useEffect(
    () => () => {
      turn.current += 1;
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );

  return {
    list: held.list,
    isLoading: held.isLoading,
    error: held.error,
    reload: () => {
      ask('again');
    },
    loadMore: () => {
      const { list, isLoading } = latest.current.held;
      if (!isLoading && list !== null && list.runs.length < list.matching) ask('more');
    },
  };
}
