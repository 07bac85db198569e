/** Kinds of nodes as pages tell them. */
import type { NodeKind } from '../../runner/model.ts';

/** Codicon of a kind of node. */
export function kindIcon(kind: NodeKind | 'dynamic'): string {
  switch (kind) {
    case 'pipeline':
      return 'type-hierarchy-sub';
    case 'task':
      return 'terminal';
    case 'parallel':
      return 'layers';
    case 'dynamic':
      return 'question';
  }
}

/** A kind of node in words. */
export function kindName(kind: NodeKind | 'dynamic'): string {
  switch (kind) {
    case 'pipeline':
      return 'pipeline';
    case 'task':
      return 'task';
    case 'parallel':
      return 'parallel task';
    case 'dynamic':
      return 'not known before it runs';
  }
}
