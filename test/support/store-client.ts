/**
 * A process that opens a store, for tests with many processes and as another user: options as JSON in the first
 * argument, one line of JSON as the answer, then it holds the store until its standard input ends.
 */
import { openStore, type OpenOptions } from '../../runner/store/open.ts';
import { StoreError, errorMessage } from '../../runner/store/errors.ts';

export type ClientAnswer =
  | {
      readonly serverStart: string;
      readonly fsync: string;
      readonly listenAddresses: string;
      readonly uid: number;
    }
  | { readonly code: string; readonly error: string };

async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '') as OpenOptions;
  try {
    await using store = await openStore({ ...options, env: {} });
    const client = await store.connect();
    const { rows } = await client.query<{ serverStart: string; fsync: string; listenAddresses: string }>(`
      select pg_postmaster_start_time()::text as "serverStart", current_setting('fsync') as fsync,
             current_setting('listen_addresses') as "listenAddresses"
        from (select count(*) from run) runs`);
    const answer = { ...rows[0], uid: process.getuid?.() ?? -1 };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    await new Promise(resolve => process.stdin.resume().once('end', resolve));
    await client.end();
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'bug';
    const text = code === 'bug' && error instanceof Error ? (error.stack ?? '') : errorMessage(error);
    process.stdout.write(`${JSON.stringify({ code, error: text })}\n`);
  }
}

await main();
