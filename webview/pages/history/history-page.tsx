/** The history of runs: which there were, why they failed, and how each node fared in them. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { formatPath } from '../../../runner/model.ts';
import { useAction, useKept, useNow, usePage, usePushed, useRequest, valueOf } from '../../page.ts';
import { Tool } from '../../parts/buttons.tsx';
import { ActionLink } from '../../parts/links.tsx';
import { PageFrame, Section } from '../../parts/page-frame.tsx';
import { Failure, Loading, Outdated, PageState, StoreAway } from '../../parts/page-states.tsx';
import { FilterBar } from './filter-bar.tsx';
import { initialFilters, isFiltered, isHistoryFilters, NO_FILTERS, toQuery } from './filters.ts';
import { GridSection } from './run-grid.tsx';
import { type RunListState, useRunList } from './run-list-model.ts';
import { RunTable } from './run-table.tsx';

const GRID_RUNS = 50;
/** The grid is asked for again at most so often while runs go on: ms. */
const PACE = 1000;

export function HistoryPage() {
  const { subject } = usePage();
  const act = useAction();
  const path = subject.page === 'history' ? subject.path : undefined;
  const [filters, setFilters] = useKept('history filters', initialFilters(path), isHistoryFilters);
  const [selected, setSelected] = useKept<number | null>('history run', null, isRunId);
  const [closed, setClosed] = useKept<readonly string[]>('history closed', [], isStrings);
  const today = Math.floor(useNow(true, 60_000) / 60_000) * 60_000;
  const query = useMemo(() => toQuery(filters, today), [filters, today]);
  const state = useRunList(query);
  const { list } = state;
  const isLive = list?.runs.some(({ status }) => status === 'running') ?? false;
  const now = useNow(isLive);
  const wanted = path === undefined ? null : formatPath(path);
  const isFirst = useRef(true);
  useEffect(() => {
    // The panel was opened for something else.
    if (!isFirst.current && wanted !== null) setFilters({ ...NO_FILTERS, path: wanted });
    isFirst.current = false;
  }, [wanted]);
  const run = list?.runs.find(({ runId }) => runId === selected);
  return (
    <PageFrame
      breadcrumbs={[
        <ActionLink key="" action={{ kind: 'showPipelines' }} title="Show the side bar">
          Pipelines
        </ActionLink>,
        <span key="here" aria-current="page">
          Run history
        </span>,
      ]}
      icon={null}
      title="Run history"
      actions={<Tool icon="refresh" label="Refresh" onPress={state.reload} />}
    >
      <FilterBar filters={filters} list={list} onChange={setFilters} />
      <Problem state={state} />
      {list === null ? (
        state.error === null ? (
          <Loading what="runs" />
        ) : null
      ) : list.runs.length === 0 ? (
        <NoRuns
          isEmpty={list.total === 0}
          isFiltered={isFiltered(filters)}
          onClear={() => {
            setFilters(NO_FILTERS);
          }}
        />
      ) : (
        <>
          <Section
            id="runs"
            title="Runs"
            note={run === undefined ? '' : `run ${run.runId} is selected`}
            tools={
              <>
                <Tool
                  icon="debug-restart"
                  label="Run what did not succeed in the selected run"
                  word="Re-run failed"
                  reason={
                    run === undefined
                      ? 'Select a run'
                      : run.status === 'running'
                        ? 'Available when the run has ended'
                        : run.status === 'succeeded'
                          ? 'Nothing failed in this run'
                          : undefined
                  }
                  onPress={() => {
                    if (run !== undefined) act({ kind: 'rerunFailed', runId: run.runId });
                  }}
                />
                <Tool
                  icon="go-to-file"
                  label="Open the selected run"
                  word="Open"
                  reason={run === undefined ? 'Select a run' : undefined}
                  onPress={() => {
                    if (run !== undefined) act({ kind: 'openRun', runId: run.runId });
                  }}
                />
              </>
            }
          >
            <RunTable
              runs={list.runs}
              hasMore={list.runs.length < list.matching}
              isLoading={state.isLoading}
              now={now}
              selected={selected}
              onSelect={setSelected}
              onMore={state.loadMore}
            />
          </Section>
          <NodeGrid query={query} now={now} selected={selected} closed={closed} onClosed={setClosed} />
        </>
      )}
    </PageFrame>
  );
}

function NodeGrid({
  query,
  now,
  selected,
  closed,
  onClosed,
}: {
  query: ReturnType<typeof toQuery>;
  now: number;
  selected: number | null;
  closed: readonly string[];
  onClosed: (closed: readonly string[]) => void;
}) {
  const params = useMemo(() => ({ query: { ...query, limit: GRID_RUNS } }), [query]);
  const { state, reload } = useRequest('grid', params);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const soon = (): void => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      reload();
    }, PACE);
  };
  usePushed('runs', soon);
  const grid = valueOf(state);
  const isLive = grid?.runs.some(({ status }) => status === 'running') ?? false;
  // What nodes of a run that goes on do is not pushed to this page.
  useEffect(() => {
    if (!isLive) return;
    const interval = setInterval(reload, PACE * 3);
    return () => {
      clearInterval(interval);
    };
  }, [isLive, reload]);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  if (grid === undefined)
    return (
      <Section id="grid" title="Nodes × runs">
        {state.kind === 'error' ? (
          <Failure
            title="Millrace could not get the grid of nodes and runs"
            detail={state.message}
            actions={[{ title: 'Try again', run: reload }]}
          />
        ) : (
          <Loading what="nodes" />
        )}
      </Section>
    );
  if (grid.nodes.length === 0) return null;
  return <GridSection grid={grid} now={now} selected={selected} closed={closed} onClosed={onClosed} />;
}

/** Why there is no list, or why it may not be how things stand. */
function Problem({ state }: { state: RunListState }) {
  const { store } = usePage();
  const { error, list } = state;
  if (error === null) return null;
  if (list !== null) return <Outdated problem={error} onRetry={state.reload} />;
  return error.code === 'store' ? (
    <StoreAway message={error.message} {...(store.kind === 'unreachable' && { detail: store.detail })} />
  ) : (
    <Failure
      title="Millrace could not get the runs"
      detail={error.message}
      actions={[{ title: 'Try again', run: state.reload }]}
    />
  );
}

function NoRuns({
  isEmpty,
  isFiltered: isNarrowed,
  onClear,
}: {
  isEmpty: boolean;
  isFiltered: boolean;
  onClear: () => void;
}) {
  const act = useAction();
  if (!isEmpty && isNarrowed)
    return (
      <PageState
        icon="filter"
        title="No run fits these filters"
        actions={[{ title: 'Clear filters', run: onClear }]}
      />
    );
  return (
    <PageState
      icon="history"
      title="No run yet"
      detail="Every run is kept here, whoever starts it: the editor, a terminal, or a schedule."
      actions={[
        {
          title: 'Choose a pipeline to run',
          run: () => {
            act({ kind: 'showPipelines' });
          },
        },
      ]}
    />
  );
}

function isRunId(value: unknown): value is number | null {
  return value === null || typeof value === 'number';
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string');
}
