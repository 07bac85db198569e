/** Parameters for work that is divided into chunks. */
import { checkCount } from '../../api/errors.ts';
import { DEFAULT_CHUNKS } from './sql-library.ts';

/**
 * The numbers of chunks as parameters of a {@link ParallelExecuteSQL}: 0, 1, 2, … In the SQL, `util.compute_chunk(id, n)` of
 * the SQL library tells which chunk a row belongs to.
 *
 * @param count how many there are; default: 8, as in {@link sqlLibrary}
 * @example
 * new ParallelExecuteSQL({ id: 'facts', parameters: chunks(7), placeholders: ['@chunk@'],
 *   sql: 'insert into fact_@chunk@ select * from raw.event where util.compute_chunk(user_id, 7) = @chunk@' })
 * @throws PipelineError when the count is none
 */
export function chunks(count: number = DEFAULT_CHUNKS): () => readonly (readonly [chunk: number])[] {
  checkCount(() => 'chunks()', 'count', count, 1);
  return () => Array.from({ length: count }, (_, chunk) => [chunk]);
}
