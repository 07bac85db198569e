/** All migrations, compiled in. A new one is a file `<number>_<what>.ts` with `up` and `down`, a name in names.ts and a line here. */
import type { Migration } from 'kysely/migration';
import * as initial from './0001_initial.ts';
import type { MigrationName } from './names.ts';

export const migrations: Readonly<Record<MigrationName, Required<Migration>>> = {
  '0001_initial': initial,
};
