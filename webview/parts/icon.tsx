/** Codicons. */
import type { NodeKind } from '../../runner/model.ts';

/** A codicon by name, as `play` or `sync~spin`. Without `label` it is for the eye only. */
export function Icon({
  name,
  label,
  size,
  class: extra,
}: {
  name: string;
  label?: string;
  size?: 'small' | 'large';
  class?: string | undefined;
}) {
  const [icon = '', modifier] = name.split('~');
  const classes = ['codicon', `codicon-${icon}`];
  if (modifier !== undefined) classes.push(`codicon-modifier-${modifier}`);
  if (size !== undefined) classes.push(size);
  if (extra !== undefined) classes.push(extra);
  return label === undefined ? (
    <span class={classes.join(' ')} aria-hidden="true" />
  ) : (
    <span class={classes.join(' ')} role="img" aria-label={label} title={label} />
  );
}

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
