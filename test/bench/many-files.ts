/**
 * What it takes to look at very many files: `node test/bench/many-files.ts [number]`, by default 1,000,000. The files are
 * listed and compared with those that are loaded, which is what a run does before it loads what is new; loading them is
 * another matter (test/bench/load.ts). Prints times, the memory of this process at its highest, and how long the event
 * loop was kept waiting at most.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Pipeline } from '../../runner/api/pipeline.ts';
import { expandParallelTask } from '../../runner/api/parallel-task.ts';
import { ParallelReadFile, type ReadMode } from '../../runner/commands/index.ts';
import { expansionContext } from '../support/expansion.ts';
import { attempts } from '../support/files-to-load.ts';
import { testServer } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temp.ts';

/** Days, each with a folder of its own. */
const DAYS = 1000;

export interface Look {
  readonly what: string;
  readonly seconds: number;
  /** Resident, in MB: more than at the beginning. */
  readonly memory: number;
  readonly longestWait: number;
  readonly children: number;
}

/** Looks at so many files that are all new, and again when all of them but one are loaded. */
export async function lookAtFiles(count: number): Promise<Look[]> {
  await using server = await testServer();
  await using folder = await temporaryFolder();
  for (let day = 0; day < DAYS; day++) {
    const date = new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10);
    const directory = join(folder.path, date.slice(0, 7), date);
    mkdirSync(directory, { recursive: true });
    for (let number = day; number < count; number += DAYS)
      writeFileSync(join(directory, `events-${String(number)}.csv`), '');
  }
  await server.query('create table event (v int)');
  const look = async (what: string, readMode: ReadMode): Promise<Look> => {
    const task = new ParallelReadFile({
      id: 'load',
      filePattern: '**/*.csv',
      readMode,
      table: 'event',
      dateRegex: /(\d{4})-(\d\d)-(\d\d)/,
    });
    new Pipeline({ id: 'bench' }).add(task);
    await using databases = attempts(server)();
    global.gc?.();
    const before = process.memoryUsage.rss();
    let highest = before;
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    const timer = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 50);
    const started = performance.now();
    const context = expansionContext({ dataDir: folder.path, parallel: 8, db: alias => databases.db(alias) });
    const pipeline = await expandParallelTask(task, context);
    clearInterval(timer);
    delay.disable();
    return {
      what,
      seconds: (performance.now() - started) / 1000,
      memory: (Math.max(highest, process.memoryUsage.rss()) - before) / 1e6,
      longestWait: delay.max / 1e6,
      children: pipeline.nodes.size,
    };
  };
  const looks = [await look('all are new', 'onlyNew')];
  await server.query(
    `insert into millrace_loaded.file select target_id, file_name, now(), day, 'bench' from millrace_loaded.pending where position > 0`,
  );
  await server.query('analyze millrace_loaded.file');
  looks.push(await look('one is new', 'onlyNew'), await look('some have changed', 'onlyChanged'));
  return looks;
}

if (import.meta.main) {
  const count = Number(process.argv[2] ?? 1_000_000);
  for (const { what, seconds, memory, longestWait, children } of await lookAtFiles(count)) {
    console.log(
      `${count.toLocaleString('en')} files, ${what}: ${seconds.toFixed(1)} s, ${memory.toFixed(0)} MB more memory, ` +
        `event loop kept waiting ${longestWait.toFixed(0)} ms at most, ${String(children)} children`,
    );
  }
}
