import type { CommandContext } from 'millrace';
import { bar, table } from './text-table.ts';

/** Prints the most interesting rows of the result tables. */
export async function printResults(context: CommandContext): Promise<void> {
  const database = await context.db();
  const query = async (sql: string) => (await database.query(sql)).rows;

  const [summary = {}] = await query(`
    SELECT
      source,
      format('%s commits', commit_count) AS commits,
      (SELECT format('%s authors', count(*)) FROM repo_stats.author) AS authors,
      (SELECT format('%s files', count(*)) FROM repo_stats.file) AS files
    FROM repo_raw.watermark`);
  const authors = await query(`
    SELECT commits, name AS author, lines_added AS "+", lines_deleted AS "-", last_day::text AS "last on"
    FROM repo_stats.author_activity
    ORDER BY commits DESC, name
    LIMIT 10`);
  const weeks = await query(`
    SELECT week::text AS "week of", commits, authors, lines_added AS "+", lines_deleted AS "-"
    FROM repo_stats.commits_per_week
    WHERE week IS NOT NULL
    ORDER BY week DESC
    LIMIT 12`);
  const hotSpots = await query(`
    SELECT churn AS lines, commits, authors, last_changed::text AS "last on", path AS file
    FROM repo_stats.hot_spot
    ORDER BY rank
    LIMIT 10`);

  const busiest = Math.max(...weeks.map(week => Number(week['commits'])));
  const sections = [
    Object.values(summary).join(', '),
    'Who commits most',
    table(authors),
    'The last weeks with commits',
    table(weeks.map(week => ({ ...week, '': bar(Number(week['commits']), busiest) }))),
    'Hot spots: the files with the most lines added and deleted',
    table(hotSpots),
  ];
  context.log.verbatim(sections.join('\n\n'));
}
