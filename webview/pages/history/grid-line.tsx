/** A row of the grid of nodes × runs. */
import { Component } from 'preact';
import type { RunRecord } from '../../../runner/records.ts';
import { Icon } from '../../parts/icon.tsx';
import { kindIcon } from '../../parts/kinds.ts';
import { NodeLink } from '../../parts/links.tsx';
import { stateWord } from '../../parts/states.ts';
import type { GridRow } from './grid-rows.ts';

interface LineProps {
  readonly row: GridRow;
  readonly runs: readonly RunRecord[];
  readonly selected: number | null;
  readonly onToggle: (row: GridRow) => void;
}

/** A node and what it did in each run. Drawn again only when that has changed. */
export class GridLine extends Component<LineProps> {
  override shouldComponentUpdate(next: LineProps): boolean {
    const { row, runs, selected } = this.props;
    const isSame =
      row.key === next.row.key &&
      row.isOpen === next.row.isOpen &&
      row.depth === next.row.depth &&
      row.cells === next.row.cells &&
      selected === next.selected &&
      runs === next.runs;
    return !isSame;
  }

  override render() {
    const { row, runs, selected } = this.props;
    const { path, key, kind, depth, isOpen, cells } = row;
    const id = path.at(-1) ?? 'everything';
    return (
      <tr data-line="" class={isOpen === null ? undefined : 'container'}>
        <th scope="row">
          <span class="tree-cell" style={{ paddingLeft: `${depth * 14}px` }}>
            {isOpen === null ? (
              <span class="twistie" />
            ) : (
              <button
                type="button"
                class="twistie"
                tabIndex={-1}
                aria-label={`${isOpen ? 'Collapse' : 'Expand'} ${id}`}
                aria-expanded={isOpen}
                onClick={() => {
                  this.props.onToggle(this.props.row);
                }}
              >
                <Icon name={isOpen ? 'chevron-down' : 'chevron-right'} size="small" />
              </button>
            )}
            <Icon name={kindIcon(kind)} size="small" class="dim" />
            <span class="grid-name">
              <NodeLink path={path} focusable={false}>
                {id}
              </NodeLink>
            </span>
          </span>
        </th>
        {runs.map((run, index) => {
          const state = cells[index] ?? null;
          const chosen = run.runId === selected ? ' chosen' : '';
          const label = `${id}, run ${run.runId}: ${state === null ? 'had no turn' : stateWord(state)}`;
          return state === null ? (
            <td key={run.runId} class={`grid-cell${chosen}`} data-stop="" tabIndex={-1} aria-label={label} />
          ) : (
            <td
              key={run.runId}
              class={`grid-cell has-state cell-${state} state-${state}${chosen}`}
              data-stop=""
              data-run={run.runId}
              data-node={key}
              tabIndex={-1}
              aria-label={label}
              title={label}
            />
          );
        })}
        <td class="grid-fill" />
      </tr>
    );
  }
}
