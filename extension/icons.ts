/** Which codicon and which colour stand for a state, in trees, lenses, the status bar and quick picks alike. */
import type { NodeKind, NodeRunStatus, RunStatus } from '../runner/model.ts';
import type { NodeStatus } from './project/project-state.ts';

/** A codicon and the id of a colour of the theme; without one it has the colour of the text. */
export interface Icon {
  readonly codicon: string;
  readonly colour?: string;
}

const green = 'charts.green';
const red = 'charts.red';
const blue = 'charts.blue';
const yellow = 'charts.yellow';
const grey = 'descriptionForeground';

export function kindIcon(kind: NodeKind | 'dynamic'): Icon {
  switch (kind) {
    case 'pipeline':
      return { codicon: 'type-hierarchy-sub' };
    case 'task':
      return { codicon: 'terminal' };
    case 'parallel':
      return { codicon: 'layers' };
    case 'dynamic':
      return { codicon: 'ellipsis' };
  }
}

export function statusIcon(status: NodeStatus, kind: NodeKind | 'dynamic'): Icon {
  switch (status.kind) {
    case 'none':
      return kindIcon(kind);
    case 'queued':
      return { codicon: 'circle-large-outline', colour: grey };
    case 'running':
      return outcomeIcon('running');
    case 'ended':
      return outcomeIcon(status.outcome);
  }
}

export function outcomeIcon(status: NodeRunStatus | RunStatus): Icon {
  switch (status) {
    case 'running':
      return { codicon: 'sync~spin', colour: blue };
    case 'succeeded':
      return { codicon: 'pass', colour: green };
    case 'unchanged':
      return { codicon: 'check', colour: green };
    case 'failed':
      return { codicon: 'error', colour: red };
    case 'skipped':
      return { codicon: 'debug-step-over', colour: grey };
    case 'cancelled':
      return { codicon: 'circle-slash', colour: grey };
    case 'lost':
      return { codicon: 'question', colour: yellow };
  }
}
