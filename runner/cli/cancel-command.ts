/** `millrace cancel`. */
import { UsageError } from '../engine/errors.ts';
import { requestCancel } from '../store/cancel.ts';
import { exitCodes } from './exit-codes.ts';
import { formatTime } from './format.ts';
import { openHistoryOfProject, projectDirectory } from './open-project.ts';
import { say, type Terminal } from './terminal.ts';

export async function cancelCommand(terminal: Terminal, runId: number): Promise<number> {
  await using store = await openHistoryOfProject(terminal, projectDirectory(terminal));
  const result = await requestCancel(store, runId);
  switch (result.kind) {
    case 'requested':
      say(terminal, `Run ${String(runId)} is asked to end.`);
      return exitCodes.success;
    case 'already-requested':
      say(
        terminal,
        `Run ${String(runId)} was asked to end at ${formatTime(result.since)} already, and is asked again.`,
      );
      return exitCodes.success;
    case 'ended':
      // Whoever opens the store closes such a run, so mostly it is found like this.
      if (result.status === 'lost') return sayLost(terminal, runId);
      throw new UsageError(
        `Run ${String(runId)} is over: it ${result.status === 'succeeded' ? 'succeeded' : `ended as ${result.status}`}.`,
      );
    case 'lost':
      return sayLost(terminal, runId);
    case 'unknown':
      throw new UsageError(`There is no run ${String(runId)} in this project. See "millrace runs".`);
  }
}

function sayLost(terminal: Terminal, runId: number): number {
  say(terminal, `The runner of run ${String(runId)} had died; the run is closed as lost.`);
  return exitCodes.success;
}
