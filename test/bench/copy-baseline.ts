/** The baseline of W4: one Node process streams the same lines by COPY into a table like the store's, without a foreign key. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { from as copyFrom } from 'pg-copy-streams';
import { openStore } from '../../runner/store/open.ts';
import { seconds } from './measure.ts';

export interface CopyBaseline extends AsyncDisposable {
  /** Seconds for all copies of the file. */
  run(): Promise<number>;
}

/** Uses the server of the state folder below `folder`, in a database of its own. */
export async function copyBaseline(folder: string, file: string, times: number): Promise<CopyBaseline> {
  const store = await openStore({
    projectDirectory: folder,
    home: `${folder}/home`,
    applicationName: 'bench',
  });
  const client = await store.connect();
  await client.query(`CREATE TABLE baseline (
    node_run_id bigint, seq bigint, at timestamptz, format text, is_error boolean, message text,
    PRIMARY KEY (node_run_id, seq))`);
  return {
    async run() {
      await client.query('TRUNCATE baseline; SET synchronous_commit = off');
      return await seconds(async () => {
        const stream = client.query(copyFrom('COPY baseline FROM STDIN'));
        const done = new Promise<void>((resolve, reject) => {
          stream.once('finish', resolve).once('error', reject);
        });
        const at = new Date().toISOString();
        for (let task = 1; task <= times; task++) {
          let seq = 0;
          let rows = '';
          for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
            rows += `${task}\t${++seq}\t${at}\tverbatim\tf\t${line}\n`;
            if (rows.length < 64 * 1024) continue;
            if (!stream.write(rows)) await new Promise(resolve => stream.once('drain', resolve));
            rows = '';
          }
          stream.write(rows);
        }
        stream.end();
        await done;
      });
    },
    async [Symbol.asyncDispose]() {
      await client.query('DROP TABLE baseline');
      await client.end();
      await store.close();
    },
  };
}
