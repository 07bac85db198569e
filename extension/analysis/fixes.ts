/** Ways to mend mistakes, as edits of the text. */
import type { Fix, FixEdit } from './analysis.ts';
import { locationOf, rangeOf, type SyntaxNode, ts } from './syntax.ts';

/** Puts another name in the place of a text or a name; nothing where the code says it in another way. */
export function replaceName(node: SyntaxNode, name: string): Fix | undefined {
  const text = replacement(node, name);
  if (text === undefined) return undefined;
  return { title: `Change to "${name}"`, edits: [{ location: locationOf(node), text }] };
}

function replacement(node: SyntaxNode, name: string): string | undefined {
  if (ts.isIdentifier(node)) return name;
  if (!ts.isStringLiteralLike(node)) return undefined;
  const [quote = "'"] = node.getText();
  return `${quote}${name}${quote}`;
}

/** Makes a node wait for another one, in the call that adds it to its pipeline. */
export function addUpstream(call: SyntaxNode, upstream: string, downstream: string): Fix | undefined {
  if (!ts.isCallExpression(call) || !isNamed(call, ['add', 'addAll'])) return undefined;
  const [child, list] = call.arguments;
  if (child === undefined || ts.isSpreadElement(child)) return undefined;
  const text = `'${upstream}'`;
  let edit: FixEdit;
  if (list === undefined) {
    edit = insertion(child, `, [${text}]`);
  } else if (ts.isArrayLiteralExpression(list)) {
    const last = list.elements.at(-1);
    edit =
      last === undefined ? { location: locationOf(list), text: `[${text}]` } : insertion(last, `, ${text}`);
  } else {
    return undefined;
  }
  return { title: `Let "${downstream}" wait for "${upstream}"`, edits: [edit] };
}

/** Text after a node. */
function insertion(node: SyntaxNode, text: string): FixEdit {
  return { location: rangeOf(node.getSourceFile(), node.end, node.end), text };
}

function isNamed(call: ts.CallExpression, names: readonly string[]): boolean {
  return ts.isPropertyAccessExpression(call.expression) && names.includes(call.expression.name.text);
}
