/**
 * A table: sortable, with check boxes, as a tree, by keyboard, and with fewer columns where there is less room. What is
 * left out is in the tooltip of the row.
 *
 * Keys: up, down, Home, End move between rows; left and right close and open; Space checks; Enter opens.
 */
import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { formatCount } from '../../runner/format.ts';
import { useWidth } from '../page.ts';
import { Button } from './buttons.tsx';
import { Checkbox } from './fields.tsx';
import { Icon } from './icon.tsx';
import { type FlatRow, flattenRows, nextSort, type Sort, type SortValue } from './table-rows.ts';

export interface Column<Row> {
  readonly id: string;
  readonly title: ComponentChildren;
  /** In a narrow table. */
  readonly narrowTitle?: string;
  /** The title where it is not plain text. */
  readonly label?: string;
  readonly numeric?: boolean;
  /** Narrowest table, in pixels, that has this column; default 0: always. */
  readonly from?: number;
  /** Makes the column sortable. */
  readonly sortValue?: (row: Row) => SortValue;
  /** Order after the first click; default: descending for numbers. */
  readonly firstOrder?: Sort['direction'];
  readonly class?: string;
  /** For the row's tooltip, when the column is left out; `null`: nothing to say. */
  readonly text?: (row: Row) => string | null;
  readonly cell: (row: Row, isNarrow: boolean) => ComponentChildren;
}

export interface Checks {
  readonly checked: ReadonlySet<string>;
  readonly onChange: (checked: ReadonlySet<string>) => void;
  /** Names a row for those who cannot see it. */
  readonly nameOf: (key: string) => string;
}

export interface TableProps<Row> {
  /** What the table is, for those who cannot see it. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sort?: Sort | null;
  readonly onSort?: (sort: Sort) => void;
  readonly checks?: Checks;
  /** Makes it a tree; the first column has the twisties. */
  readonly tree?: {
    readonly childrenOf: (row: Row) => readonly Row[];
    readonly expanded: ReadonlySet<string>;
    readonly onToggle: (key: string) => void;
  };
  /** Key of the row that is shown as selected. */
  readonly selected?: string | null;
  /** A click on a row, or Enter. */
  readonly onOpen?: (row: Row) => void;
  readonly class?: string;
  /** Rows are drawn so many at a time; default 400. */
  readonly pageSize?: number;
}

export function Table<Row>(props: TableProps<Row>) {
  const { columns, rows, keyOf, sort = null, onSort, checks, tree, pageSize = 400 } = props;
  const [measure, width] = useWidth();
  const [shown, setShown] = useState(pageSize);
  const [focused, setFocused] = useState<string | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const sortColumn = columns.find(({ id }) => id === sort?.column);
  const expanded = tree?.expanded;
  const flat = useMemo(
    () =>
      flattenRows(rows, {
        keyOf,
        childrenOf: tree?.childrenOf,
        expanded: expanded ?? new Set(),
        valueOf: sortColumn?.sortValue,
        direction: sort?.direction ?? 'ascending',
      }),
    // What rows are sorted by may come after them.
    [rows, expanded, sortColumn?.sortValue, sort?.direction],
  );
  const visible = columns.filter(({ from = 0 }) => width === 0 || width >= from);
  const dropped = columns.filter(column => !visible.includes(column));
  const isNarrow = width > 0 && width < 616;
  const page = flat.slice(0, shown);
  const tabStop = page.some(({ key }) => key === focused) ? focused : page[0]?.key;

  const toggleCheck = (key: string): void => {
    if (checks === undefined) return;
    const next = new Set(checks.checked);
    if (!next.delete(key)) next.add(key);
    checks.onChange(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // Keys within a row belong to what has the focus there.
    const { target } = event;
    if (!(target instanceof HTMLTableRowElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = page.findIndex(({ key }) => key === target.dataset['key']);
    const row = page[at];
    if (row === undefined) return;
    const focusRow = (index: number): void => {
      const next = page[Math.max(0, Math.min(page.length - 1, index))];
      if (next === undefined) return;
      setFocused(next.key);
      const elements = [...(body.current?.rows ?? [])];
      elements.find(element => element.dataset['key'] === next.key)?.focus();
    };
    const { key, isExpanded, depth } = row;
    switch (event.key) {
      case 'ArrowDown':
        focusRow(at + 1);
        break;
      case 'ArrowUp':
        focusRow(at - 1);
        break;
      case 'Home':
        focusRow(0);
        break;
      case 'End':
        focusRow(page.length - 1);
        break;
      case 'ArrowRight':
        if (isExpanded === false) tree?.onToggle(key);
        else if (isExpanded === true) focusRow(at + 1);
        break;
      case 'ArrowLeft':
        if (isExpanded === true) tree?.onToggle(key);
        else if (depth > 0) focusRow(page.findLastIndex((each, index) => index < at && each.depth < depth));
        break;
      case ' ':
        toggleCheck(key);
        break;
      case 'Enter':
        props.onOpen?.(row.row);
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  const keys = flat.map(({ key }) => key);
  const checkedHere = checks === undefined ? 0 : keys.filter(key => checks.checked.has(key)).length;
  return (
    <div class="table-holder" ref={measure}>
      <table
        class={props.class}
        role={tree === undefined ? 'grid' : 'treegrid'}
        aria-label={props.label}
        aria-rowcount={flat.length + 1}
        aria-multiselectable={checks === undefined ? undefined : true}
      >
        <thead>
          <tr>
            {checks === undefined ? null : (
              <th class="check">
                <Checkbox
                  label="Check all"
                  checked={checkedHere > 0 && checkedHere === keys.length}
                  mixed={checkedHere > 0 && checkedHere < keys.length}
                  onChange={isChecked => {
                    checks.onChange(new Set(isChecked ? keys : []));
                  }}
                />
              </th>
            )}
            {visible.map(column => (
              <HeadCell key={column.id} column={column} isNarrow={isNarrow} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody ref={body} onKeyDown={onKeyDown}>
          {page.map(row => (
            <BodyRow
              key={row.key}
              {...props}
              flat={row}
              visible={visible}
              dropped={dropped}
              isNarrow={isNarrow}
              isTabStop={row.key === tabStop}
              onFocus={setFocused}
              onCheck={toggleCheck}
            />
          ))}
        </tbody>
      </table>
      {flat.length > shown ? (
        <div class="more-rows">
          <Button
            onPress={() => {
              setShown(shown + pageSize * 5);
            }}
          >
            Show more: {formatCount(shown)} of {formatCount(flat.length)} are shown
          </Button>
        </div>
      ) : null}
    </div>
  );
}

function HeadCell<Row>({
  column,
  isNarrow,
  sort,
  onSort,
}: {
  column: Column<Row>;
  isNarrow: boolean;
  sort: Sort | null;
  onSort: ((sort: Sort) => void) | undefined;
}) {
  const { id, numeric = false, sortValue, firstOrder = numeric ? 'descending' : 'ascending' } = column;
  const title = isNarrow ? (column.narrowTitle ?? column.title) : column.title;
  const classes = [numeric ? 'numeric' : '', column.class ?? ''].filter(name => name !== '').join(' ');
  if (sortValue === undefined || onSort === undefined)
    return (
      <th class={classes} scope="col" aria-label={column.label}>
        {title}
      </th>
    );
  const direction = sort?.column === id ? sort.direction : undefined;
  return (
    <th class={classes} scope="col" aria-sort={direction ?? 'none'}>
      <button
        type="button"
        aria-label={column.label}
        title={`Sort by ${column.label ?? (typeof title === 'string' ? title : id)}`}
        onClick={() => {
          onSort(nextSort(sort, id, firstOrder));
        }}
      >
        {title}
        {direction === undefined ? null : (
          <Icon name={direction === 'ascending' ? 'arrow-up' : 'arrow-down'} size="small" />
        )}
      </button>
    </th>
  );
}

function BodyRow<Row>({
  flat,
  visible,
  dropped,
  isNarrow,
  isTabStop,
  selected,
  tree,
  checks,
  onOpen,
  onFocus,
  onCheck,
}: TableProps<Row> & {
  flat: FlatRow<Row>;
  visible: readonly Column<Row>[];
  dropped: readonly Column<Row>[];
  isNarrow: boolean;
  isTabStop: boolean;
  onFocus: (key: string) => void;
  onCheck: (key: string) => void;
}) {
  const { row, key, depth, isExpanded, position, siblings } = flat;
  const isChecked = checks?.checked.has(key) ?? false;
  const tooltip = dropped.flatMap(column => {
    const text = column.text?.(row) ?? null;
    const title = column.label ?? (typeof column.title === 'string' ? column.title : '');
    return text === null || text === '' ? [] : [`${title}: ${text}`];
  });
  const isSelected = selected === key || isChecked;
  return (
    <tr
      data-key={key}
      class={
        [isSelected ? 'selected' : '', onOpen === undefined ? '' : 'openable'].join(' ').trim() || undefined
      }
      tabIndex={isTabStop ? 0 : -1}
      title={tooltip.length === 0 ? undefined : tooltip.join('\n')}
      aria-selected={checks === undefined && selected === undefined ? undefined : isSelected}
      {...(tree === undefined
        ? {}
        : {
            'aria-level': depth + 1,
            'aria-posinset': position,
            'aria-setsize': siblings,
            'aria-expanded': isExpanded ?? undefined,
          })}
      onFocus={() => {
        onFocus(key);
      }}
      onClick={() => {
        onOpen?.(row);
      }}
    >
      {checks === undefined ? null : (
        <td class="check">
          <Checkbox
            label={`Check ${checks.nameOf(key)}`}
            checked={isChecked}
            focusable={false}
            onChange={() => {
              onCheck(key);
            }}
          />
        </td>
      )}
      {visible.map((column, index) => (
        <td
          key={column.id}
          class={[column.numeric === true ? 'numeric' : '', column.class ?? ''].join(' ').trim() || undefined}
        >
          {index === 0 && tree !== undefined ? (
            <span class="tree-cell" style={{ paddingLeft: `${String(depth * (isNarrow ? 12 : 16))}px` }}>
              {isExpanded === null ? (
                <span class="twistie" />
              ) : (
                <button
                  type="button"
                  class="twistie"
                  tabIndex={-1}
                  aria-label={isExpanded ? 'Collapse' : 'Expand'}
                  onClick={event => {
                    event.stopPropagation();
                    tree.onToggle(key);
                  }}
                >
                  <Icon name={isExpanded ? 'chevron-down' : 'chevron-right'} size="small" />
                </button>
              )}
              {column.cell(row, isNarrow)}
            </span>
          ) : (
            column.cell(row, isNarrow)
          )}
        </td>
      ))}
    </tr>
  );
}
