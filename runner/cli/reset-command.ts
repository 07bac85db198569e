/** `millrace reset`: forgets what incremental processing remembers. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../engine/errors.ts';
import { formatPath, parsePath } from '../model.ts';
import type { ForgottenState } from '../store/state.ts';
import { exitCodes } from './exit-codes.ts';
import { nameOfPath, plural } from './format.ts';
import type { FilesInDatabase } from './loaded-files.ts';
import { openHistory, openProject, projectDirectory } from './open-project.ts';
import { say, type Terminal } from './terminal.ts';

export async function resetCommand(
  terminal: Terminal,
  path: string | undefined,
  options: { readonly yes?: true },
): Promise<number> {
  const wanted = parsePath(path ?? '');
  const directory = projectDirectory(terminal);
  // A node that the project no longer has may still have state: paths are not looked up in the code.
  const { config } = await openProject(terminal, directory, { files: [] });
  await using store = await openHistory(terminal, directory, config.store);
  const [{ resetState, stateBelow }, { LoadedFiles }] = await Promise.all([
    import('../store/state.ts'),
    import('./loaded-files.ts'),
  ]);
  await using loaded = await LoadedFiles.open(config, directory);
  for (const [alias, problem] of loaded.unreachable) {
    const message = `What database "${alias}" remembers of loaded files cannot be seen, and is kept: ${problem}`;
    say(terminal, terminal.errorStyle('red', message));
  }
  const end = loaded.unreachable.size === 0 ? exitCodes.success : exitCodes.failed;
  const found = await stateBelow(store, wanted);
  const files = await loaded.remembered(wanted);
  if (found.length === 0 && files.length === 0) {
    say(terminal, `Nothing is remembered of ${nameForSentence(wanted)}.`);
    return end;
  }
  if (options.yes !== true) {
    terminal.stdout.write(drawState(found) + drawFiles(files));
    if (!terminal.stdin.isTTY || !terminal.stderr.isTTY)
      throw new UsageError('Nothing was forgotten: there is no terminal to ask on. Say --yes to forget it.');
    if (!(await confirm(terminal, 'Forget this? [y/N] '))) {
      say(terminal, 'Nothing was forgotten.');
      return exitCodes.cancelled;
    }
  }
  const forgottenFiles = await loaded.forget(wanted);
  const forgotten = await resetState(store, wanted);
  if (options.yes === true) terminal.stdout.write(drawState(forgotten) + drawFiles(forgottenFiles));
  const nodes = new Set([...forgotten, ...forgottenFiles].map(({ nodePath }) => formatPath(nodePath)));
  say(terminal, `Forgot the incremental state of ${plural(nodes.size, 'node')}.`);
  return end;
}

function drawFiles(nodes: readonly FilesInDatabase[]): string {
  return nodes
    .map(
      ({ nodePath, table, files, alias }) =>
        `${nameOfPath(nodePath)}: ${plural(files, 'file')} loaded into ${table} (database "${alias}")\n`,
    )
    .join('');
}

function nameForSentence(path: readonly string[]): string {
  return path.length === 0 ? 'this project' : `"${nameOfPath(path)}"`;
}

export function drawState(nodes: readonly ForgottenState[]): string {
  return nodes
    .map(({ nodePath, fileDependencies, processedFiles, copyStatuses }) => {
      const parts = [
        fileDependencies === 0
          ? []
          : [`hashes of ${plural(fileDependencies, 'file dependency').replace(/ys$/, 'ies')}`],
        processedFiles === 0 ? [] : [plural(processedFiles, 'processed file')],
        copyStatuses === 0
          ? []
          : [`how far ${plural(copyStatuses, 'table')} ${copyStatuses === 1 ? 'is' : 'are'} copied`],
      ].flat();
      return `${nameOfPath(nodePath)}: ${parts.join(', ')}\n`;
    })
    .join('');
}

/** Ctrl-C and Ctrl-D mean no. */
async function confirm(terminal: Terminal, question: string): Promise<boolean> {
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr });
  const given = new AbortController();
  lines.once('SIGINT', () => {
    given.abort();
  });
  lines.once('close', () => {
    given.abort();
  });
  try {
    const answer = await lines.question(question, { signal: given.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (!given.signal.aborted) throw error;
    terminal.stderr.write('\n');
    return false;
  } finally {
    lines.close();
  }
}
