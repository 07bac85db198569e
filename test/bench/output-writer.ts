/**
 * The storing half of workload W4: 8 attempts × 100,000 lines of 80 characters through the recorder until all are in
 * the store, against the bare COPY of the same lines (as binary, as the recorder does, and as text) into the same
 * table, from one process, interleaved.
 *
 * Usage: node test/bench/output-writer.ts [lines] [rounds]; with 0 rounds the recorder alone, for its memory
 */
import { join } from 'node:path';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { OutputBatch } from '../../runner/events.ts';
import { OutputEncoder } from '../../runner/store/output-encoder.ts';
import { copyRows } from '../../runner/store/output-writer.ts';
import { BACKLOG_LIMIT, RunRecorder } from '../../runner/store/run-recorder.ts';
import { finished, newRun } from '../support/runs.ts';
import { ownStore } from '../support/own-store.ts';

const TASKS = 8;
const LINES_PER_BATCH = 400; // 32 KB: what one read of a pipe brings

async function main(lines: number, rounds: number): Promise<void> {
  await using own = await ownStore();
  const { store } = own;
  await using measuring = await connected(await store.connect());
  const { client } = measuring;
  const folder = join(own.home, 'spool');
  const results = new Map<string, number[]>();
  const note = (name: string, seconds: number): void => {
    results.set(name, [...(results.get(name) ?? []), seconds]);
    console.log(
      `${name.padEnd(24)} ${seconds.toFixed(2)} s  ${Math.round(lines / seconds).toLocaleString('en')} lines/s`,
    );
  };
  const measureRecorder = async (): Promise<void> => {
    await client.query('TRUNCATE node_output');
    const recorder = await RunRecorder.begin(store, newRun(), { spoolFolder: folder });
    const before = process.memoryUsage.rss();
    let peak = 0;
    const started = performance.now();
    for (const batch of batches(recorder.runId, lines)) {
      recorder.onOutput(batch);
      if (recorder.backlogBytes >= BACKLOG_LIMIT) await recorder.drained();
      else await new Promise(setImmediate);
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    await recorder.flush();
    const seconds = (performance.now() - started) / 1000;
    recorder.onEvent(finished(recorder, 'succeeded'));
    await recorder.finish();
    const { rows: counted } = await client.query<{ count: number }>('SELECT count(*) FROM node_output');
    if (counted[0]?.count !== lines)
      throw new Error(`${String(counted[0]?.count)} lines stored instead of ${lines}`);
    note('recorder', seconds);
    console.log(`recorder, peak RSS       ${megabytes(peak)} MB, ${megabytes(before)} MB before`);
  };
  if (rounds === 0) {
    await measureRecorder();
    return;
  }
  for (let round = 0; round < rounds; round++) {
    await client.query('TRUNCATE node_output');
    await client.query('SET synchronous_commit = off');
    const encoder = new OutputEncoder();
    let started = performance.now();
    for (const batch of batches(1, lines)) encoder.add(batch);
    const rows = encoder.take(Infinity);
    console.log(`encoding                 ${((performance.now() - started) / 1000).toFixed(2)} s`);
    if (rows === null) return;
    started = performance.now();
    await copyRows(client, rows.chunks);
    note('bare COPY, binary', (performance.now() - started) / 1000);

    await client.query('TRUNCATE node_output');
    const text = [...batches(1, lines)].map(asText);
    started = performance.now();
    await copyText(client, text);
    note('bare COPY, text', (performance.now() - started) / 1000);
    text.length = 0;

    await measureRecorder();
  }
  const median = (name: string): number => {
    const sorted = (results.get(name) ?? []).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  for (const baseline of ['bare COPY, binary', 'bare COPY, text']) {
    console.log(`recorder / ${baseline}: ${(median('recorder') / median(baseline)).toFixed(2)} (medians)`);
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}

async function connected(client: Client): Promise<AsyncDisposable & { readonly client: Client }> {
  return await Promise.resolve({ client, [Symbol.asyncDispose]: () => client.end() });
}

function* batches(runId: number, lines: number): Generator<OutputBatch> {
  const perTask = lines / TASKS;
  const filler = 'x'.repeat(70);
  for (let first = 1; first <= perTask; first += LINES_PER_BATCH) {
    for (let task = 1; task <= TASKS; task++) {
      const count = Math.min(LINES_PER_BATCH, perTask - first + 1);
      const text = Array.from({ length: count }, (_, i) => `${String(first + i).padStart(10, '0')}${filler}`);
      yield {
        nodePath: ['bench', `task-${task}`],
        attempt: 1,
        nodeRunId: runId * 4_194_304 + task,
        firstSeq: first,
        time: 1_790_000_000_000 + first,
        format: 'verbatim',
        isError: false,
        text: Buffer.from(text.join('\n')).toString(), // flat, as read from a pipe
      };
    }
  }
}

function asText(batch: OutputBatch): Buffer {
  const middle = `\t${new Date(batch.time).toISOString()}\t${batch.format}\tf\t`;
  const lines = batch.text
    .split('\n')
    .map((line, i) => `${batch.nodeRunId}\t${batch.firstSeq + i}${middle}${line}\n`);
  return Buffer.from(lines.join(''));
}

async function copyText(client: Client, chunks: readonly Buffer[]): Promise<void> {
  const stream = client.query(
    copyFrom('COPY node_output (node_run_id, seq, at, format, is_error, message) FROM STDIN'),
  );
  await new Promise<void>((resolve, reject) => {
    stream.on('finish', resolve).on('error', reject);
    for (const chunk of chunks) stream.write(chunk);
    stream.end();
  });
}

await main(Number(process.argv[2] ?? 800_000), Number(process.argv[3] ?? 3));
