/** Between which types of databases rows can be copied. */
import { type DatabaseType, databaseTypeNames } from '../api/databases.ts';
import { PipelineError } from '../api/errors.ts';

/** Types that rows can be copied from. */
export const copySources: readonly DatabaseType[] = [
  'postgresql',
  'redshift',
  'mysql',
  'sqlite',
  'sqlserver',
  'oracle',
  'bigquery',
  'snowflake',
];

/** Types that rows can be copied to. */
export const copyTargets: readonly DatabaseType[] = ['postgresql', 'redshift', 'mysql', 'sqlite', 'bigquery'];

interface End {
  readonly alias: string;
  readonly type: DatabaseType;
}

/** @throws PipelineError that names both types, when rows cannot be copied between them */
export function checkCopyPair(what: string, from: End, to: End): void {
  if (copySources.includes(from.type) && copyTargets.includes(to.type)) return;
  const possible = copySources.includes(from.type)
    ? `From ${databaseTypeNames[from.type]} it copies to ${names(copyTargets)}.`
    : `It copies from ${names(copySources)}.`;
  throw new PipelineError(
    `${what} cannot copy from ${databaseTypeNames[from.type]} (database "${from.alias}") to ${databaseTypeNames[to.type]} (database "${to.alias}"). ${possible}`,
  );
}

function names(types: readonly DatabaseType[]): string {
  return types.map(type => databaseTypeNames[type]).join(', ');
}
