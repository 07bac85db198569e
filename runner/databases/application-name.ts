/** What the server's list of sessions, `pg_stat_activity`, calls a connection of Millrace. */

/** Of a connection that no task has opened. */
export const APPLICATION_NAME = 'millrace';

/** Postgres keeps as many bytes of a name, and would cut off its end: of a path, the end says most. */
const LONGEST = 63;

/**
 * Says which task of which run works, or holds a lock: `millrace 17 github/transform_repo`. Ids of nodes are ASCII.
 *
 * @param runId `null` without a store
 */
export function applicationNameOf(runId: number | null, path: readonly string[]): string {
  const start = runId === null ? `${APPLICATION_NAME} ` : `${APPLICATION_NAME} ${String(runId)} `;
  const task = path.join('/');
  const room = LONGEST - start.length;
  return start + (task.length <= room ? task : `...${task.slice(3 - room)}`);
}
