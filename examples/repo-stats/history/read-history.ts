import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandContext, Database } from 'millrace';
import { findSource } from './find-source.ts';
import { HistoryFiles, historyFolder } from './history-files.ts';
import type { HistorySource } from './history-source.ts';

/**
 * Writes what is new in the history since the last run to files, and notes in `repo_raw.pending_read` what they hold.
 * Everything is read again when the history is not that of the last run any more.
 */
export async function readHistory(context: CommandContext): Promise<void> {
  const source = await findSource(context);
  const database = await context.db();
  const since = context.params['reread'] === true ? undefined : await lastHead(database, source);
  context.log.info(
    `Reading ${since === undefined ? 'all commits' : `the commits since ${since}`} of ${source.name}`,
  );

  const directory = join(context.project.dataDir, historyFolder);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const files = new HistoryFiles(directory);
  if (since !== source.head) {
    await source.readLog(since, chunk => files.writeLog(chunk));
    if (since !== undefined) await source.readGoneCommits(since, chunk => files.writeGone(chunk));
  }
  await files.finish();

  const [commits, changes, gone] = [files.commits.rows, files.changes.rows, files.gone.rows];
  await database.query(
    `INSERT INTO repo_raw.pending_read
       (source, fingerprint, head, commit_count, is_complete, new_commits, new_changes, gone_commits)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      source.name,
      source.fingerprint,
      source.head,
      await source.countCommits(),
      since === undefined,
      commits,
      changes,
      gone,
    ],
  );
  context.addRows(commits + changes + gone);
  context.log.info(`New commits: ${commits}, with changed files: ${changes}. Commits that are gone: ${gone}`);
}

/** The commit up to which the history has been read; `undefined` when everything must be read. */
async function lastHead(database: Database, source: HistorySource): Promise<string | undefined> {
  const { rows } = await database.query('SELECT head FROM repo_raw.watermark WHERE fingerprint = $1', [
    source.fingerprint,
  ]);
  const head = rows[0]?.['head'];
  return typeof head === 'string' && head !== '' && (await source.knows(head)) ? head : undefined;
}
