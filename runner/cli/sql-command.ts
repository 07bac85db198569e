/** `millrace sql`. */
import type { SqlInput } from '../databases/sql-command.ts';
import {
  embeddedServer,
  openProject,
  openStoreForRun,
  projectDirectory,
  storeLocation,
} from './open-project.ts';
import type { Store } from '../store/store.ts';
import { say, type Terminal } from './terminal.ts';

export interface SqlCommandOptions {
  readonly file?: string;
  readonly command?: string;
}

export async function sqlCommand(
  terminal: Terminal,
  alias: string,
  options: SqlCommandOptions,
): Promise<number> {
  const directory = projectDirectory(terminal);
  // The databases are all that is needed of the project.
  const { config } = await openProject(terminal, directory, { files: [] });
  const { runSqlCommand } = await import('../databases/sql-command.ts');
  const input = inputOf(options);
  if (input.kind === 'stdin' && terminal.stdin.isTTY)
    say(terminal, `Type SQL for "${alias}" and end it with Ctrl-D, or give it with -c or -f.`);
  using interrupt = interruptSignal();
  let held: Store | undefined;
  const work = runSqlCommand({
    project: config,
    alias,
    input,
    cwd: terminal.directory,
    directory,
    stdin: terminal.stdin,
    stdout: terminal.stdout,
    stderr: terminal.stderr,
    signal: interrupt.signal,
    resolveEmbedded: async () => {
      const { warehouseConfig } = await import('../store/embedded/databases.ts');
      // Who has the store open keeps the server running, and has it stopped when nobody uses it any more.
      if (storeLocation(directory, config.store).kind === 'embedded')
        held = await openStoreForRun(directory, config.store);
      return await warehouseConfig({ ...embeddedServer(), projectDirectory: directory });
    },
  });
  try {
    return await work;
  } finally {
    await held?.close();
  }
}

function inputOf({ file, command }: SqlCommandOptions): SqlInput {
  if (command !== undefined) return { kind: 'text', sql: command };
  return file === undefined ? { kind: 'stdin' } : { kind: 'file', file };
}

/** Aborted by Ctrl-C, SIGTERM and a closed terminal; a second signal ends the process as usual. */
function interruptSignal(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (): void => {
    controller.abort();
    stop();
  };
  const stop = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return { signal: controller.signal, [Symbol.dispose]: stop };
}
