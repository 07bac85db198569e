/** `millrace reset`: forgets what incremental processing remembers. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../engine/errors.ts';
import { parsePath } from '../model.ts';
import type { ForgottenState } from '../store/state.ts';
import { exitCodes } from './exit-codes.ts';
import { nameOfPath, plural } from './format.ts';
import { openHistoryOfProject, projectDirectory } from './open-project.ts';
import { say, type Terminal } from './terminal.ts';

export async function resetCommand(
  terminal: Terminal,
  path: string | undefined,
  options: { readonly yes?: true },
): Promise<number> {
  const wanted = parsePath(path ?? '');
  await using store = await openHistoryOfProject(terminal, projectDirectory(terminal));
  const { resetState, stateBelow } = await import('../store/state.ts');
  // A node that the project no longer has may still have state: paths are not looked up in the code.
  const found = await stateBelow(store, wanted);
  if (found.length === 0) {
    say(terminal, `Nothing is remembered of ${nameForSentence(wanted)}.`);
    return exitCodes.success;
  }
  if (options.yes !== true) {
    terminal.stdout.write(drawState(found));
    if (!terminal.stdin.isTTY || !terminal.stderr.isTTY)
      throw new UsageError('Nothing was forgotten: there is no terminal to ask on. Say --yes to forget it.');
    if (!(await confirm(terminal, 'Forget this? [y/N] '))) {
      say(terminal, 'Nothing was forgotten.');
      return exitCodes.cancelled;
    }
  }
  const forgotten = await resetState(store, wanted);
  if (options.yes === true) terminal.stdout.write(drawState(forgotten));
  say(terminal, `Forgot the incremental state of ${plural(forgotten.length, 'node')}.`);
  return exitCodes.success;
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
