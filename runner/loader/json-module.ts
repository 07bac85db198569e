/** JSON files that are imported without `with { type: 'json' }`, which Node alone would refuse. */
import { SourceError } from './source-error.ts';

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/**
 * An ES module with the value as its default export and, as TypeScript's users expect, the members of an object as
 * named exports.
 *
 * @throws SourceError for a file that is not JSON.
 */
export function jsonModuleSource(path: string, text: string): string {
  const source = text.replace(/^\uFEFF/, '');
  const value = parse(path, source);
  // As a string: JSON that stands in code as a literal would make `__proto__` special.
  const lines = [`const value = JSON.parse(${JSON.stringify(source)});`, 'export default value;'];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const names = Object.keys(value).filter(name => IDENTIFIER.test(name) && name !== 'default');
    for (const [index, name] of names.entries()) {
      const local = `member${String(index)}`;
      lines.push(`const ${local} = value[${JSON.stringify(name)}]; export { ${local} as ${name} };`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const position = /at position (\d+)/.exec(reason)?.[1];
    const offset = position === undefined ? offsetOfToken(text, reason) : Number(position);
    throw new SourceError(
      path,
      text,
      offset,
      reason.replace(/ in JSON at position .*$|, (?:\.\.\.)?".*$/s, ''),
    );
  }
}

/** Longest text in which a mistake is searched for. */
const SEARCHED_LENGTH = 100_000;

/**
 * V8 names the token that it did not expect, but not always the place: it is where the text that ends with the token has
 * the same mistake.
 */
function offsetOfToken(text: string, reason: string): number {
  const token = /^Unexpected token '(.)'/u.exec(reason)?.[1];
  if (token === undefined || text.length > SEARCHED_LENGTH) return text.length;
  for (let offset = text.indexOf(token); offset >= 0; offset = text.indexOf(token, offset + 1)) {
    try {
      JSON.parse(text.slice(0, offset + token.length));
    } catch (error) {
      if (error instanceof Error && error.message.startsWith(`Unexpected token '${token}'`)) return offset;
    }
  }
  return text.length;
}
