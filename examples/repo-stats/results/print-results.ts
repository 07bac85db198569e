import type { CommandContext } from 'millrace';
import { bar, table } from './text-table.ts';

/** Prints the most interesting rows of the result tables. */
export async function printResults(context: CommandContext): Promise<void> {
  const database = await context.db();
  const query = async (sql: string) => (await database.query(sql)).rows;

  const [total] = await query(`
    SELECT source, commit_count AS commits,
      (SELECT count(*) FROM repo_stats.author) AS authors,
      (SELECT count(*) FROM repo_stats.file) AS files
    FROM repo_raw.watermark`);
  const authors = await query(`
    SELECT commits, name, lines_added, lines_deleted, last_day::text
    FROM repo_stats.author_activity
    ORDER BY commits DESC, name
    LIMIT 10`);
  const weeks = await query(`
    SELECT week::text, commits, authors, lines_added, lines_deleted
    FROM repo_stats.commits_per_week
    WHERE week IS NOT NULL
    ORDER BY week DESC
    LIMIT 12`);
  const hotSpots = await query(`
    SELECT path, churn, commits, authors, last_changed::text
    FROM repo_stats.hot_spot
    ORDER BY rank
    LIMIT 10`);

  const busiest = Math.max(...weeks.map(week => Number(week['commits'])));
  const sections = [
    `${total?.['source']}: ${total?.['commits']} commits, ${total?.['authors']} authors, ${total?.['files']} files`,
    'Who commits most',
    table(authors, {
      commits: 'commits',
      name: 'author',
      lines_added: '+',
      lines_deleted: '-',
      last_day: 'last on',
    }),
    'The last weeks with commits',
    table(
      weeks.map(week => ({ ...week, bar: bar(Number(week['commits']), busiest) })),
      {
        week: 'week of',
        commits: 'commits',
        authors: 'authors',
        lines_added: '+',
        lines_deleted: '-',
        bar: '',
      },
    ),
    'Hot spots: the files with the most lines added and deleted',
    table(hotSpots, {
      churn: 'lines',
      commits: 'commits',
      authors: 'authors',
      last_changed: 'last on',
      path: 'file',
    }),
  ];
  context.log.verbatim(sections.join('\n\n'));
}
