/** What timeline and statistics show, as tables. */
import { useMemo, useState } from 'preact/hooks';
import { formatCount, formatDuration } from '../../../runner/format.ts';
import { formatPath } from '../../../runner/model.ts';
import type { RunDetailsRecord, StatisticsRecord } from '../../../runner/records.ts';
import { Status } from '../../parts/status.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { formatTimeOfDay } from '../../parts/times.ts';
import type { NodeState } from '../../timeline/layout.ts';
import { labelOf, type NodeHistory } from '../../timeline/nodes.ts';
import { megabytes, percent } from '../../timeline/statistics.ts';

interface AttemptRow {
  readonly key: string;
  readonly label: string;
  readonly state: NodeState;
  readonly attempt: number | null;
  /** Seconds since the beginning of the run. */
  readonly start: number | null;
  readonly duration: number | null;
  readonly rows: number | null;
  readonly isCritical: boolean;
}

export function AttemptTable({
  details,
  histories,
}: {
  details: RunDetailsRecord;
  histories: readonly NodeHistory[];
}) {
  const { run, criticalPath } = details;
  const rows = useMemo(() => {
    const critical = new Set(criticalPath);
    return histories.flatMap(({ path, state, attempts }): AttemptRow[] => {
      const label = labelOf(path, run.pipelinePath);
      if (attempts.length === 0)
        return [
          {
            key: formatPath(path),
            label,
            state,
            attempt: null,
            start: null,
            duration: null,
            rows: null,
            isCritical: false,
          },
        ];
      return attempts.map(record => ({
        key: String(record.nodeRunId),
        label,
        state: record.status,
        attempt: record.attempt,
        start: record.startedAt === null ? null : (record.startedAt - run.startedAt) / 1000,
        duration:
          record.startedAt === null || record.endedAt === null
            ? null
            : (record.endedAt - record.startedAt) / 1000,
        rows: record.rowsProcessed,
        isCritical: critical.has(record.nodeRunId),
      }));
    });
  }, [histories, criticalPath]);
  const [sort, setSort] = useState<{ column: string; direction: 'ascending' | 'descending' } | null>(null);
  return (
    <Table
      label="What ran when"
      columns={attemptColumns}
      rows={rows}
      keyOf={row => row.key}
      sort={sort}
      onSort={setSort}
    />
  );
}

const attemptColumns: readonly Column<AttemptRow>[] = [
  { id: 'node', title: 'Node', sortValue: row => row.label, cell: row => row.label, class: 'prose' },
  { id: 'state', title: 'Outcome', sortValue: row => row.state, cell: row => <Status state={row.state} /> },
  {
    id: 'attempt',
    title: 'Attempt',
    numeric: true,
    from: 640,
    sortValue: row => row.attempt,
    text: row => (row.attempt === null ? null : String(row.attempt)),
    cell: row => row.attempt ?? '',
  },
  {
    id: 'start',
    title: 'Began after',
    numeric: true,
    sortValue: row => row.start,
    cell: row => (row.start === null ? '' : formatDuration(row.start)),
  },
  {
    id: 'duration',
    title: 'Duration',
    numeric: true,
    sortValue: row => row.duration,
    cell: row => (row.duration === null ? '' : formatDuration(row.duration)),
  },
  {
    id: 'rows',
    title: 'Rows',
    numeric: true,
    from: 640,
    sortValue: row => row.rows,
    text: row => (row.rows === null ? null : formatCount(row.rows)),
    cell: row => (row.rows === null ? '' : formatCount(row.rows)),
  },
  {
    id: 'critical',
    title: 'Critical path',
    from: 720,
    sortValue: row => (row.isCritical ? 0 : 1),
    text: row => (row.isCritical ? 'yes' : null),
    cell: row => (row.isCritical ? 'yes' : ''),
  },
];

export function StatisticsTable({ records }: { records: readonly StatisticsRecord[] }) {
  const columns = useMemo(
    () => statisticsColumns.filter(({ id }) => id === 'at' || records.some(record => record[id] !== null)),
    [records],
  );
  if (records.length === 0) return <p class="statistics-empty">No statistics of the machine were recorded</p>;
  return (
    <Table
      label="How busy the machine was"
      class="statistics-table"
      columns={columns}
      rows={records}
      keyOf={record => String(record.at)}
    />
  );
}

type StatisticsColumn = Column<StatisticsRecord> & { readonly id: keyof StatisticsRecord };

function statisticsColumn(
  id: Exclude<keyof StatisticsRecord, 'at'>,
  title: string,
  format: (value: number) => string,
  from = 0,
): StatisticsColumn {
  const text = (record: StatisticsRecord): string | null => {
    const value = record[id];
    return value === null ? null : format(value);
  };
  return { id, title, numeric: true, from, text, cell: text };
}

const statisticsColumns: readonly StatisticsColumn[] = [
  { id: 'at', title: 'Time', cell: record => formatTimeOfDay(record.at, 'seconds') },
  statisticsColumn('cpu', 'CPU', percent),
  statisticsColumn('memory', 'Memory', percent),
  statisticsColumn('swap', 'Swap', percent, 640),
  statisticsColumn('diskRead', 'Disk read', megabytes),
  statisticsColumn('diskWrite', 'Disk write', megabytes),
  statisticsColumn('netReceived', 'Received', megabytes, 720),
  statisticsColumn('netSent', 'Sent', megabytes, 720),
];
