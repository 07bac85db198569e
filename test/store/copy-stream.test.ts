/** Copying into a table when the server refuses what it is sent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { after, before, describe, it } from 'mocha';
import { copyFrom } from '../../runner/databases/copy-stream.ts';
import { temporaryStore, type TemporaryStore } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

describe('COPY FROM STDIN', function () {
  this.timeout(60_000); // the first test starts the server
  let project: TemporaryStore;
  let client: Client;
  let other: Client;
  const chunk = Buffer.from(`${'x'.repeat(99)}\n`.repeat(10_000));

  before(async () => {
    project = await temporaryStore();
    client = await project.store.connect();
    other = await project.store.connect();
    // The server takes a row, and then nothing more: what follows has to wait in the socket.
    await client.query(`CREATE TABLE slow (text text);
      CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1000); RETURN NEW; END';
      CREATE TRIGGER take_long BEFORE INSERT ON slow FOR EACH ROW EXECUTE FUNCTION take_long()`);
  });
  after(async () => {
    await client.query('DROP TABLE slow; DROP FUNCTION take_long');
    await client.end();
    await other.end();
    await project[Symbol.asyncDispose]();
  });

  const cancel = async (): Promise<void> => {
    const sleeps = `FROM pg_stat_activity WHERE query LIKE 'COPY slow%' AND wait_event = 'PgSleep'`;
    await waitUntil(async () => (await other.query(`SELECT ${sleeps}`)).rowCount === 1);
    await other.query(`SELECT pg_cancel_backend(pid) ${sleeps}`);
  };
  const message = 'canceling statement due to user request';

  it('is an error of the stream, with much that has not been sent yet', async () => {
    const stream = client.query(copyFrom('COPY slow FROM STDIN'));
    const failed = once(stream, 'error');
    for (let count = 0; count < 20; count += 1) stream.write(chunk);
    stream.end();
    await cancel();
    const [error] = (await failed) as [Error];
    assert.equal(error.message, message);
    // The connection goes on when the server has read and thrown away the rest.
    assert.deepEqual((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  });

  it('ends a pipeline', async () => {
    const copied = pipeline(
      function* () {
        for (let count = 0; count < 20; count += 1) yield chunk;
      },
      client.query(copyFrom('COPY slow FROM STDIN')),
    );
    const failed = assert.rejects(copied, { message });
    await cancel();
    await failed;
    assert.deepEqual((await client.query('SELECT 2 AS two')).rows, [{ two: 2 }]);
  });
});
