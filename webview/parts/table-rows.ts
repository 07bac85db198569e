/** Order and extent of a table's rows; pure. */

export interface Sort {
  readonly column: string;
  readonly direction: 'ascending' | 'descending';
}

/** What a column is sorted by: numbers by size, text as people order it, `null` last in either direction. */
export type SortValue = number | string | null;

export interface FlatRow<Row> {
  readonly row: Row;
  readonly key: string;
  /** Counted from 0. */
  readonly depth: number;
  /** `null`: has nothing below it. */
  readonly isExpanded: boolean | null;
  /** Position among its siblings, counted from 1, and how many they are. */
  readonly position: number;
  readonly siblings: number;
}

/** Sorts stably. */
export function sortRows<Row>(
  rows: readonly Row[],
  valueOf: ((row: Row) => SortValue) | undefined,
  direction: Sort['direction'],
): readonly Row[] {
  if (valueOf === undefined) return rows;
  const sign = direction === 'ascending' ? 1 : -1;
  return rows
    .map(row => ({ row, value: valueOf(row) }))
    .sort((a, b) => compareValues(a.value, b.value, sign))
    .map(({ row }) => row);
}

const collator = new Intl.Collator('en', { numeric: true });

function compareValues(a: SortValue, b: SortValue, sign: number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * collator.compare(String(a), String(b));
}

/** The rows to show, from the top: children come right after their parent, if it is expanded. */
export function flattenRows<Row>(
  rows: readonly Row[],
  options: {
    readonly keyOf: (row: Row) => string;
    readonly childrenOf?: ((row: Row) => readonly Row[]) | undefined;
    readonly expanded: ReadonlySet<string>;
    readonly valueOf?: ((row: Row) => SortValue) | undefined;
    readonly direction: Sort['direction'];
  },
): readonly FlatRow<Row>[] {
  const { keyOf, childrenOf, expanded, valueOf, direction } = options;
  const flat: FlatRow<Row>[] = [];
  const add = (siblings: readonly Row[], depth: number): void => {
    for (const [index, row] of sortRows(siblings, valueOf, direction).entries()) {
      const key = keyOf(row);
      const children = childrenOf?.(row) ?? [];
      const isExpanded = children.length === 0 ? null : expanded.has(key);
      flat.push({ row, key, depth, isExpanded, position: index + 1, siblings: siblings.length });
      if (isExpanded === true) add(children, depth + 1);
    }
  };
  add(rows, 0);
  return flat;
}

/** What a click on the head of a column makes of the order. */
export function nextSort(sort: Sort | null, column: string, first: Sort['direction']): Sort {
  if (sort?.column !== column) return { column, direction: first };
  return { column, direction: sort.direction === 'ascending' ? 'descending' : 'ascending' };
}
