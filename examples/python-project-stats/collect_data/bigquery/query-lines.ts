/** Runs a query with the command line client of BigQuery. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { CommandContext } from 'millrace';
import { tabSeparated } from './csv-lines.ts';

/** The table of a day that is not there, or not there yet. */
export class TableNotFound extends Error {}

export interface Query {
  /** The Google Cloud project that pays. */
  readonly payer: string;
  readonly query: string;
  /** A query that would read more fails before it costs anything. */
  readonly maxBytes: number;
  /** What the columns of the result have to be. */
  readonly columns: readonly string[];
}

/** So much of what `bq` says is kept for a message. */
const MESSAGE = 2000;

/**
 * The result of a query as tab separated lines, beginning with the names of the columns, while it arrives. Who stops reading
 * stops the program.
 *
 * @throws TableNotFound
 * @throws Error with what the program says, when the query fails: after lines may have been given
 */
export async function* queryLines(
  { processes, log }: Pick<CommandContext, 'processes' | 'log'>,
  { payer, query, maxBytes, columns }: Query,
): AsyncGenerator<string> {
  const output = new PassThrough();
  const stop = new AbortController();
  let said = '';
  const ended = processes
    .run(
      'bq',
      [
        '--headless',
        '--quiet',
        `--project_id=${payer}`,
        '--format=csv',
        'query',
        '--use_legacy_sql=false',
        '--max_rows=2147483647',
        `--maximum_bytes_billed=${maxBytes}`,
      ],
      {
        // On standard input, so that no query is too long.
        input: query,
        signal: stop.signal,
        onStdout: async chunk => {
          if (said.length < MESSAGE) said += chunk.toString();
          if (!output.write(chunk))
            await once(output, 'drain', { signal: stop.signal }).catch(() => undefined);
        },
        onStderr: chunk => {
          if (said.length < MESSAGE) said += chunk.toString();
          log.verbatim(chunk.toString().trimEnd());
        },
      },
    )
    .finally(() => output.end());
  // Whether it fails is looked at when all lines are read.
  ended.catch(() => undefined);
  const header = columns.join('\t');
  let hasHeader = false;
  try {
    for await (const line of tabSeparated(output.setEncoding('utf8'))) {
      hasHeader ||= line === header;
      // Anything else is a message, of which the rest follows.
      if (hasHeader) yield line;
    }
    const { exitCode, signal } = await ended;
    if (exitCode !== 0) {
      const message = said.slice(0, MESSAGE).trim();
      if (message.includes('Not found: Table')) throw new TableNotFound(message);
      throw new Error(
        `bq ended with ${exitCode === null ? String(signal) : `exit code ${exitCode}`}: ${message}`,
      );
    }
    if (!hasHeader && said.trim() !== '')
      throw new Error(
        `bq did not answer with the columns ${columns.join(', ')}, but with: ${said.slice(0, 200).trim()}`,
      );
    // Without rows there is nothing at all.
    if (!hasHeader) yield header;
  } finally {
    stop.abort();
    output.destroy();
  }
}
