/** The nodes of a pipeline as a table: the graph's twin, and where one chooses what to run. */
import { useMemo, useState } from 'preact/hooks';
import { formatCount, formatDuration } from '../../../runner/format.ts';
import { formatPath, type NodePath, parsePath } from '../../../runner/model.ts';
import type { NodeFiguresRecord } from '../../../runner/records.ts';
import { countNodes, manyNodes, pipelinesBelow } from '../../graph/model.ts';
import type { PageNode } from '../../messages.ts';
import { useAction, useKept, usePage } from '../../page.ts';
import { Tool } from '../../parts/buttons.tsx';
import { Icon } from '../../parts/icon.tsx';
import { kindIcon, kindName } from '../../parts/kinds.ts';
import { NodeLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page-frame.tsx';
import { Failure, StoreAway } from '../../parts/page-states.tsx';
import { type ShownState, stateWord } from '../../parts/states.ts';
import { Status, StatusIcon } from '../../parts/status.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import type { Sort } from '../../parts/table-rows.ts';
import type { NodeHistory } from './node-history.ts';
import { Sparkline } from './sparkline.tsx';

export function NodesTable({ node, history }: { node: PageNode; history: NodeHistory }) {
  const act = useAction();
  const { trusted } = usePage();
  const { figuresByKey, liveNodes, activeRun } = history;
  const [sort, setSort] = useKept<Sort | null>(
    'nodes sort',
    { column: 'cost', direction: 'descending' },
    isSort,
  );
  const [checked, setChecked] = useState<ReadonlySet<string>>(new Set());
  const pipelines = useMemo(() => pipelinesBelow(node), [node]);
  const [toggled, setToggled] = useState<ReadonlySet<string> | null>(null);
  const expanded = useMemo(
    () => toggled ?? new Set(countNodes(node) > manyNodes ? [] : pipelines),
    [toggled, node, pipelines],
  );

  const columns = useMemo(() => {
    const figuresOf = (row: PageNode): NodeFiguresRecord | undefined =>
      figuresByKey.get(formatPath(row.path));
    const stateOf = (row: PageNode): ShownState => {
      const key = formatPath(row.path);
      return liveNodes?.states.get(key) ?? figuresOf(row)?.last?.status ?? 'none';
    };
    const highest = Math.max(0, ...[...figuresByKey.values()].map(({ cost }) => cost));
    return columnsOf(figuresOf, stateOf, highest);
  }, [figuresByKey, liveNodes]);

  const paths = minimal(checked);
  const reason = !trusted
    ? 'Millrace runs nothing in a folder that is not trusted.'
    : activeRun !== null
      ? `Run ${String(activeRun.runId)} goes on.`
      : paths.length === 0
        ? 'Check nodes first.'
        : undefined;
  const isAllOpen = pipelines.every(key => expanded.has(key));
  const { state } = history.figures;
  return (
    <Section
      id="nodes"
      title="Nodes"
      note={checked.size === 0 ? undefined : `${formatCount(checked.size)} selected`}
      tools={
        <>
          <Tool
            icon="play"
            label="Run what is selected"
            word="Run"
            reason={reason}
            onPress={() => {
              act({ kind: 'run', paths, withUpstreams: false });
            }}
          />
          <Tool
            icon="run-above"
            label="Run what is selected with everything that it waits for"
            word="Run with upstreams"
            reason={reason}
            onPress={() => {
              act({ kind: 'run', paths, withUpstreams: true });
            }}
          />
          {pipelines.length === 0 ? null : (
            <>
              <span class="divider" />
              <Tool
                icon={isAllOpen ? 'collapse-all' : 'expand-all'}
                label={isAllOpen ? 'Collapse all' : 'Expand all'}
                onPress={() => {
                  setToggled(new Set(isAllOpen ? [] : pipelines));
                }}
              />
            </>
          )}
        </>
      }
    >
      {state.kind !== 'error' ? null : state.code === 'store' ? (
        <StoreAway message={state.message} />
      ) : (
        <Failure
          title="Millrace could not get the figures of the nodes"
          detail={state.message}
          actions={[{ title: 'Try again', run: history.figures.reload }]}
        />
      )}
      {node.nodes.length === 0 ? (
        <p class="dim">There are no nodes in it yet.</p>
      ) : (
        <Table
          label="Nodes"
          class="nodes"
          columns={columns}
          rows={node.nodes}
          keyOf={keyOf}
          sort={sort}
          onSort={setSort}
          checks={{ checked, onChange: setChecked, nameOf: key => key }}
          tree={{
            childrenOf,
            expanded,
            onToggle: key => {
              const next = new Set(expanded);
              if (!next.delete(key)) next.add(key);
              setToggled(next);
            },
          }}
          onOpen={row => {
            act({ kind: 'openNode', path: row.path });
          }}
        />
      )}
    </Section>
  );
}

function keyOf(row: PageNode): string {
  return formatPath(row.path);
}

function childrenOf(row: PageNode): readonly PageNode[] {
  return row.kind === 'pipeline' ? row.nodes : [];
}

function columnsOf(
  figuresOf: (row: PageNode) => NodeFiguresRecord | undefined,
  stateOf: (row: PageNode) => ShownState,
  highest: number,
): readonly Column<PageNode>[] {
  const seconds = (value: number | null | undefined): string | null =>
    value === null || value === undefined ? null : formatDuration(value);
  return [
    {
      id: 'id',
      title: 'ID',
      class: 'node-id',
      sortValue: row => row.id,
      cell: row => (
        <>
          <span class="dim">
            <Icon name={kindIcon(row.kind)} label={kindName(row.kind)} />
          </span>
          <NodeLink path={row.path} focusable={false} />
        </>
      ),
    },
    {
      id: 'description',
      title: 'Description',
      from: 1000,
      class: 'prose dim',
      sortValue: row => (row.description === '' ? null : row.description),
      text: row => row.description,
      cell: row => (
        <>
          {row.description}
          {Object.entries(row.labels).map(([key, value]) => (
            <span key={key} class="label">
              <span class="key">{key}</span>
              {value}
            </span>
          ))}
        </>
      ),
    },
    {
      id: 'duration',
      title: 'Avg duration',
      narrowTitle: 'Average',
      numeric: true,
      sortValue: row => figuresOf(row)?.averageDuration ?? null,
      cell: row => seconds(figuresOf(row)?.averageDuration),
    },
    {
      id: 'run-time',
      title: 'Avg run time',
      numeric: true,
      from: 720,
      sortValue: row => figuresOf(row)?.averageRunTime ?? null,
      text: row => seconds(figuresOf(row)?.averageRunTime),
      cell: row => {
        const { averageDuration = null, averageRunTime = null } = figuresOf(row) ?? {};
        const isSame = averageDuration === averageRunTime;
        return <span class={isSame ? 'dim' : undefined}>{seconds(averageRunTime)}</span>;
      },
    },
    {
      id: 'cost',
      title: 'Cost',
      numeric: true,
      sortValue: row => figuresOf(row)?.cost ?? null,
      cell: (row, isNarrow) => {
        const cost = figuresOf(row)?.cost ?? 0;
        if (cost === 0) return null;
        return (
          <span class="cost" title="Length of the critical path that starts here">
            {isNarrow ? null : (
              <span class="cost-bar">
                <i style={{ width: `${String(Math.round((cost / highest) * 100))}%` }} />
              </span>
            )}
            <span class="cost-text">{formatDuration(cost)}</span>
          </span>
        );
      },
    },
    {
      id: 'outcome',
      title: 'Last outcome',
      label: 'Last outcome',
      from: 616,
      class: 'outcome',
      sortValue: row => stateWord(stateOf(row)),
      text: row => stateWord(stateOf(row)),
      cell: (row, isNarrow) => {
        const state = stateOf(row);
        return isNarrow ? <StatusIcon state={state} /> : <Status state={state} />;
      },
    },
    {
      id: 'recent',
      title: 'Last 10',
      class: 'recent',
      cell: row => <Sparkline points={figuresOf(row)?.recent ?? []} />,
    },
  ];
}

/** The nodes that are checked, without those in a pipeline that is checked itself. */
function minimal(checked: ReadonlySet<string>): readonly NodePath[] {
  return [...checked]
    .map(parsePath)
    .filter(path => !path.some((_, index) => index > 0 && checked.has(formatPath(path.slice(0, index)))));
}

function isSort(value: unknown): value is Sort {
  return (
    typeof value === 'object' &&
    value !== null &&
    'column' in value &&
    typeof value.column === 'string' &&
    'direction' in value &&
    (value.direction === 'ascending' || value.direction === 'descending')
  );
}
