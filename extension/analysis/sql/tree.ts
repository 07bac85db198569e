/** Syntax trees of SQL, as the parser gives them: objects of which the key is the kind, and the value its fields. */
export type SyntaxTree = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is SyntaxTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field that is a node or an object; an empty one when it is not there. */
export function objectIn(tree: SyntaxTree, key: string): SyntaxTree {
  const value = tree[key];
  return isObject(value) ? value : {};
}

export function listIn(tree: SyntaxTree, key: string): readonly unknown[] {
  const value = tree[key];
  return Array.isArray(value) ? value : [];
}

export function textIn(tree: SyntaxTree, key: string): string | undefined {
  const value = tree[key];
  return typeof value === 'string' ? value : undefined;
}

export function numberIn(tree: SyntaxTree, key: string): number {
  const value = tree[key];
  return typeof value === 'number' ? value : 0;
}

/** The texts of a list of `String` nodes: a qualified name. */
export function namesIn(value: unknown): string[] {
  const items = isObject(value)
    ? listIn(objectIn(value, 'List'), 'items')
    : Array.isArray(value)
      ? value
      : [];
  return items.flatMap(item => {
    const name = isObject(item) ? textIn(objectIn(item, 'String'), 'sval') : undefined;
    return name === undefined ? [] : [name];
  });
}
