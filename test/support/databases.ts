/** Runs commands with databases of a test: opened when a command asks for them, closed when it has ended. */
import type { Command } from '../../runner/api/command.ts';
import type { DatabaseDefinition } from '../../runner/api/databases.ts';
import { findDatabase, openDatabase } from '../../runner/databases/connect.ts';
import { messageOf, type TestContext, testContext } from './commands.ts';

export interface CommandRun {
  readonly context: TestContext;
  /** The message of the failure; `nothing was thrown` when there was none. */
  readonly failure: string;
}

/** The default database is the first one. */
export async function runWithDatabases(
  command: Command,
  databases: Readonly<Record<string, DatabaseDefinition>>,
  options: {
    readonly basePath: string;
    readonly signal?: AbortSignal;
    readonly stored?: Map<string, string>;
  },
): Promise<CommandRun> {
  const project = { databases, defaultDatabase: Object.keys(databases)[0] ?? '' };
  const opened = new Map<string, ReturnType<typeof openDatabase>>();
  const context: TestContext = testContext(command, {
    ...options,
    async db(name) {
      const { alias, definition } = findDatabase(project, name);
      let opening = opened.get(name ?? '');
      if (opening === undefined) {
        opening = openDatabase(alias, definition, {
          resolveEmbedded: () => Promise.reject(new Error('there is no embedded server in this test')),
          signal: options.signal,
          processes: context.processes,
          directory: options.basePath,
        });
        opened.set(name ?? '', opening);
      }
      return await opening;
    },
  });
  try {
    const failure = await messageOf(() => command.run(context));
    return { context, failure };
  } finally {
    for (const opening of opened.values())
      await opening.then(
        database => database[Symbol.asyncDispose](),
        () => undefined,
      );
  }
}
