/** States of nodes and runs as pages tell them: by icon, form and word, and by colour only as the third sign. */
import type { NodeRunStatus, RunStatus } from '../../runner/model.ts';

/**
 * `queued`: its turn is still to come in a run that goes on; `waiting`: failed, and about to be tried again; `none`:
 * never had its turn. The style sheet has a class `state-<state>` for each.
 */
export type ShownState = NodeRunStatus | RunStatus | 'queued' | 'waiting' | 'none';

/** Codicon. */
export function stateIcon(state: ShownState): string {
  switch (state) {
    case 'succeeded':
      return 'pass';
    case 'unchanged':
      return 'check';
    case 'failed':
      return 'error';
    case 'running':
      return 'sync~spin';
    case 'queued':
      return 'circle-large-outline';
    case 'waiting':
      return 'clock';
    case 'skipped':
      return 'debug-step-over';
    case 'cancelled':
      return 'circle-slash';
    case 'lost':
      return 'question';
    case 'none':
      return 'circle-large-outline';
  }
}

export function stateWord(state: ShownState): string {
  switch (state) {
    case 'waiting':
      return 'waits to retry';
    case 'none':
      return 'never ran';
    default:
      return state;
  }
}
