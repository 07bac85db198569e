/** Codicons. */
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

export { kindIcon, kindName } from './kinds.ts';
