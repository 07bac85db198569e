/**
 * Nodes × runs: what each node did in each run. It is a table; a cell says its state by form, and by its label.
 *
 * Keys: the arrows move, Home and End to the first and last run, Enter opens the node in that run; in the first column
 * left and right close and open a pipeline.
 */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatDuration, plural } from '../../../runner/format.ts';
import type { NodeKind, NodeRunStatus } from '../../../runner/model.ts';
import type { RunGrid } from '../../../runner/records.ts';
import { useAction, useWidth } from '../../page.ts';
import { Button, Tool } from '../../parts/buttons.tsx';
import { Section } from '../../parts/page-frame.tsx';
import { stateWord } from '../../parts/states.ts';
import { GridLine } from './grid-line.tsx';
import { type GridRow, gridRows, MANY_NODES } from './grid-rows.ts';
import { durationOf } from './run-table.tsx';

const PAGE = 200;
const BAR_HEIGHT = 40;

export function GridSection({
  grid,
  now,
  selected,
  closed,
  onClosed,
}: {
  grid: RunGrid;
  now: number;
  selected: number | null;
  /** Keys of nodes that somebody has closed (`-a/b`) or opened (`+a/b`). */
  closed: readonly string[];
  onClosed: (closed: readonly string[]) => void;
}) {
  const isLarge = grid.nodes.length > MANY_NODES;
  const marks = useMemo(() => new Set(closed), [closed]);
  const isOpen = (key: string, depth: number, kind: NodeKind): boolean =>
    marks.has(`+${key}`) || (!marks.has(`-${key}`) && kind !== 'parallel' && (!isLarge || depth === 0));
  const rows = useMemo(() => gridRows(grid, isOpen), [grid, marks]);
  const toggle = (row: GridRow): void => {
    const others = closed.filter(mark => mark.slice(1) !== row.key);
    onClosed([...others, `${row.isOpen === true ? '-' : '+'}${row.key}`]);
  };
  const containers = rows.filter(row => row.isOpen !== null);
  const isAllClosed = containers.every(row => row.isOpen === false);
  const words = useMemo(() => {
    const present = new Set(grid.cells.flat());
    return STATES.filter(state => present.has(state));
  }, [grid]);
  return (
    <Section
      id="grid"
      title="Nodes × runs"
      note={`${plural(grid.runs.length, 'run')}, newest right, bar height = duration`}
      tools={
        containers.length === 0 ? undefined : (
          <Tool
            icon={isAllClosed ? 'expand-all' : 'collapse-all'}
            label={isAllClosed ? 'Expand all' : 'Collapse all'}
            onPress={() => {
              const all = grid.nodes.map(({ path }) => path.join('/'));
              onClosed(all.map(key => `${isAllClosed ? '+' : '-'}${key}`));
            }}
          />
        )
      }
    >
      <Grid grid={grid} rows={rows} now={now} selected={selected} onToggle={toggle} />
      <div class="keys grid-keys">
        {words.map(state => (
          <span key={state}>
            <i class={`grid-mark cell-${state} state-${state}`} />
            {stateWord(state)}
          </span>
        ))}
      </div>
    </Section>
  );
}

const STATES: readonly NodeRunStatus[] = [
  'succeeded',
  'failed',
  'running',
  'skipped',
  'cancelled',
  'unchanged',
  'lost',
];

function Grid({
  grid,
  rows,
  now,
  selected,
  onToggle,
}: {
  grid: RunGrid;
  rows: readonly GridRow[];
  now: number;
  selected: number | null;
  onToggle: (row: GridRow) => void;
}) {
  const act = useAction();
  const holder = useRef<HTMLDivElement | null>(null);
  const [measure, width] = useWidth();
  const table = useRef<HTMLTableElement>(null);
  const [shown, setShown] = useState(PAGE);
  const { runs } = grid;
  const longest = runs.reduce((most, run) => Math.max(most, durationOf(run, now)), 0);
  const newest = runs.at(-1)?.runId;
  // The newest runs are at the right; that is what is looked for.
  useLayoutEffect(() => {
    if (holder.current !== null) holder.current.scrollLeft = holder.current.scrollWidth;
  }, [newest, runs.length, width]);

  const open = (target: Element): boolean => {
    const runId = target.getAttribute('data-run');
    if (runId === null) return false;
    const row = rows.find(({ key }) => key === target.getAttribute('data-node'));
    act({ kind: 'openRun', runId: Number(runId), ...(row !== undefined && { path: row.path }) });
    return true;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { target } = event;
    if (!(target instanceof HTMLElement) || table.current === null) return;
    const lines = [...table.current.querySelectorAll('tr[data-line]')].map(line => [
      ...line.querySelectorAll<HTMLElement>('[data-stop]'),
    ]);
    const y = lines.findIndex(line => line.includes(target));
    const line = lines[y];
    if (line === undefined) return;
    const x = line.indexOf(target);
    const row = rows[y - 1];
    // The head has nothing in the first column.
    const shift = (to: number): number => (to === 0 ? 1 : 0);
    let next: HTMLElement | undefined;
    switch (event.key) {
      case 'Enter':
      case ' ':
        if (!open(target)) return;
        break;
      case 'ArrowRight':
        if (row?.isOpen === false && x === 0) onToggle(row);
        else next = line[x + 1];
        break;
      case 'ArrowLeft':
        if (row?.isOpen === true && x === 0) onToggle(row);
        else next = line[x - 1];
        break;
      case 'ArrowDown':
        next = lines[y + 1]?.[x + (y === 0 ? 1 : 0)];
        break;
      case 'ArrowUp':
        next = y === 0 ? undefined : lines[y - 1]?.[Math.max(0, x - shift(y - 1))];
        break;
      case 'Home':
        next = line[0];
        break;
      case 'End':
        next = line.at(-1);
        break;
      default:
        return;
    }
    event.preventDefault();
    next?.focus();
  };
  const onFocusIn = (event: FocusEvent): void => {
    const { target } = event;
    if (!(target instanceof HTMLElement) || target.dataset['stop'] === undefined) return;
    for (const before of table.current?.querySelectorAll<HTMLElement>('[data-stop][tabindex="0"]') ?? [])
      before.tabIndex = -1;
    target.tabIndex = 0;
  };

  const drawn = rows.slice(0, shown);
  return (
    <>
      <div
        class="grid-holder"
        ref={element => {
          holder.current = element;
        }}
      >
        <div ref={measure} />
        <table
          class="run-grid"
          role="grid"
          aria-label="What each node did in each run"
          ref={table}
          onKeyDown={onKeyDown}
          onFocusIn={onFocusIn}
          onClick={event => {
            const { target } = event;
            const cell = target instanceof Element ? target.closest('[data-run]') : null;
            if (cell === null) return;
            event.preventDefault();
            open(cell);
          }}
        >
          <thead>
            <tr data-line="">
              <th scope="col" class="grid-corner">
                <span class="figures">{longest === 0 ? '' : formatDuration(longest)}</span>
                <span class="unseen"> is the longest run; nodes</span>
              </th>
              {runs.map((run, index) => (
                <th key={run.runId} scope="col" class={run.runId === selected ? 'chosen' : undefined}>
                  <a
                    href="#"
                    data-stop=""
                    data-run={run.runId}
                    tabIndex={index === 0 ? 0 : -1}
                    class={`grid-bar bar-${run.status} state-${run.status}`}
                    style={{
                      height: `${Math.max(2, longest === 0 ? 2 : (durationOf(run, now) / longest) * BAR_HEIGHT)}px`,
                    }}
                    title={`Run ${run.runId}: ${run.status}, ${formatDuration(durationOf(run, now))}`}
                  >
                    <span class="unseen">
                      Run {run.runId}, {run.status}
                    </span>
                  </a>
                </th>
              ))}
              <td class="grid-fill" />
            </tr>
          </thead>
          <tbody>
            {drawn.map(row => (
              <GridLine key={row.key} row={row} runs={runs} selected={selected} onToggle={onToggle} />
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" class="grid-corner">
                Run
              </th>
              {runs.map((run, index) => (
                <td key={run.runId} class="grid-number">
                  {(runs.length - 1 - index) % 4 === 0 ? <span>{run.runId}</span> : null}
                </td>
              ))}
              <td class="grid-fill" />
            </tr>
          </tfoot>
        </table>
      </div>
      {rows.length > shown ? (
        <div class="more-rows">
          <Button
            onPress={() => {
              setShown(shown + PAGE * 5);
            }}
          >
            Show more: {shown} of {rows.length} are shown
          </Button>
        </div>
      ) : null}
    </>
  );
}
