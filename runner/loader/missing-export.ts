/** Names that are asked for and are not there. */
import * as api from '../api/index.ts';
import { didYouMean } from '../api/errors.ts';

/** What is said of an import of a name that a module does not export. */
export function describeMissingExport(specifier: string, name: string): string {
  const what = `"${specifier}" exports no "${name}".`;
  const nearest = specifier === 'millrace' ? didYouMean(name, Object.keys(api)) : undefined;
  if (nearest !== undefined) return `${what} Did you mean "${nearest}"?`;
  return `${what} If it is a type that is exported again, write export type { ${name} } from '${specifier}'.`;
}

/** What helps with a name that nothing in a file declares; empty when nothing is known about it. */
export function describeUndeclared(name: string): string {
  return name in api ? `. Import it: import { ${name} } from 'millrace';` : '';
}
