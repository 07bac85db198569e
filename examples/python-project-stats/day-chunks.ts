import type { ExpansionContext } from 'millrace';

/**
 * Parameters that divide the days of a table: a row for each chunk that has days, with its number and its days as SQL lists
 * them. A query that names its days reads their partitions and no others.
 *
 * @param table a table that is partitioned by day, `<table>_20180410` and so on
 */
export function dayChunks(table: string) {
  return async ({ db }: ExpansionContext): Promise<[chunk: number, days: string][]> => {
    const { rows } = await (
      await db()
    ).query(
      `SELECT util.compute_chunk(day_id) AS chunk, string_agg(day_id::text, ', ' ORDER BY day_id) AS days
      FROM (
        SELECT substring(inhrelid::regclass::text FROM '_(\\d{8})$')::bigint AS day_id
        FROM pg_inherits
        WHERE inhparent = $1::regclass
      ) AS partition
      GROUP BY chunk
      ORDER BY chunk`,
      [table],
    );
    return rows.map(({ chunk, days }) => [Number(chunk), String(days)]);
  };
}
