/** A project in a temporary folder, with a store of its own, worked on through the real command line. */
import type { QueryResultRow } from 'pg';
import type { NodeFinished, Output, RunEvent } from '../../runner/events.ts';
import { formatPath } from '../../runner/model.ts';
import { openStore } from '../../runner/store/open.ts';
import { IS_ALIVE_SQL } from '../../runner/store/run-lock.ts';
import {
  type MillraceEnd,
  type MillraceOptions,
  runMillrace,
  type StartedMillrace,
  startMillrace,
} from './millrace.ts';
import { resources, temporaryHome } from './store.ts';
import { temporaryFolder, type TemporaryFolder } from './temp.ts';
import { waitUntil } from './wait.ts';

type Options = Partial<Omit<MillraceOptions, 'cwd'>>;

export interface TestProject extends AsyncDisposable {
  readonly path: string;
  readonly write: TemporaryFolder['write'];
  /** `millrace ARGS` in the project, to its end. */
  run(args: readonly string[], options?: Options): Promise<MillraceEnd>;
  start(args: readonly string[], options?: Options): Promise<StartedMillrace>;
  /** Rows of the project's store in the embedded server. */
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** Like `temporaryFolder`, with a package.json that makes it a project. */
export async function testProject(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<TestProject> {
  const folder = await temporaryFolder({ 'package.json': '{ "type": "module" }\n', ...files });
  const { path } = folder;
  return {
    path,
    write: files => folder.write(files),
    run: (args, options = {}) => runMillrace(args, { cwd: path, ...options }),
    start: (args, options = {}) => startMillrace(args, { cwd: path, ...options }),
    async query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) {
      await using store = await openStore({
        projectDirectory: path,
        home: await temporaryHome(),
        env: {},
        applicationName: 'test',
        resources,
      });
      const client = await store.connect();
      try {
        return (await client.query<Row>(sql, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Waits until the server has noticed that a killed runner is gone: it lets go of the run's lock a moment later. */
export async function untilUnlocked(project: TestProject, runId: number): Promise<void> {
  await waitUntil(async () => {
    const sql = `SELECT ${IS_ALIVE_SQL('$1::bigint')} AS alive`;
    const [row] = await project.query<{ alive: boolean }>(sql, [runId]);
    return row?.alive === false;
  });
}

/** What `millrace run --json` has printed; a line that is not complete yet is left out. */
export function eventsOf(stdout: string): RunEvent[] {
  return stdout
    .slice(0, stdout.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as RunEvent);
}

/** How the nodes of a run ended, by path; the root's is ''. The last attempt counts. */
export function outcomesOf(events: readonly RunEvent[]): Record<string, string> {
  // Not properties that are set one by one: an id may be `__proto__`.
  const outcomes = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'node_finished') outcomes.set(formatPath(event.nodePath), event.status);
    if (event.type === 'node_skipped') outcomes.set(formatPath(event.nodePath), 'skipped');
  }
  return Object.fromEntries(outcomes);
}

/** Ends of the attempts of a node. */
export function attemptsOf(events: readonly RunEvent[], path: string): NodeFinished[] {
  return events.filter(
    (event): event is NodeFinished => event.type === 'node_finished' && formatPath(event.nodePath) === path,
  );
}

/** Lines that a node has written, of all attempts. */
export function linesOf(events: readonly RunEvent[], path: string): string[] {
  return events
    .filter((event): event is Output => event.type === 'output' && formatPath(event.nodePath) === path)
    .map(({ message }) => message);
}
