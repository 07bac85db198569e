/** Runs a command on a real Postgres, with a connection of its own. */
import assert from 'node:assert/strict';
import type { Command } from '../../runner/api/command.ts';
import { type DatabaseDefinition, postgres } from '../../runner/api/databases.ts';
import { openDatabase } from '../../runner/databases/connect.ts';
import { messageOf, type TestContext, type TestContextOptions, testContext } from './commands.ts';
import type { TestServer } from './postgres.ts';

export interface CommandEnd {
  readonly context: TestContext;
  /** The log and, after it, the message of the failure; with the directory as `/data`. */
  readonly lines: readonly string[];
  /** The message of the failure; `undefined` when there was none. */
  readonly failure: string | undefined;
}

/** Files are looked for in one directory, which is base path and dataDir. */
export async function runCommand(
  server: TestServer,
  directory: string,
  command: Command,
  options: Partial<TestContextOptions> & {
    /** Besides `dwh`, the server. */
    readonly databases?: Readonly<Record<string, DatabaseDefinition>>;
  } = {},
): Promise<CommandEnd> {
  await using opened = new AsyncDisposableStack();
  const context = testContext(command, {
    basePath: directory,
    ...options,
    async db(alias = 'dwh') {
      const databases: Readonly<Record<string, DatabaseDefinition>> = {
        dwh: postgres({ url: server.url }),
        ...options.databases,
      };
      const definition = Object.hasOwn(databases, alias) ? databases[alias] : undefined;
      assert.ok(definition !== undefined, alias);
      const { signal } = options;
      const resolveEmbedded = (): Promise<never> => Promise.reject(new Error('not in this test'));
      const { processes } = context;
      return opened.use(
        await openDatabase(alias, definition, { resolveEmbedded, signal, processes, directory }),
      );
    },
  });
  const message = await messageOf(() => command.run(context));
  const failure = message === 'nothing was thrown' ? undefined : message.replaceAll(directory, '/data');
  const lines = context.lines.map(line => line.replaceAll(directory, '/data'));
  return { context, lines: failure === undefined ? lines : [...lines, failure], failure };
}
