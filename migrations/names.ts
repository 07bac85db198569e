/**
 * The names of all migrations, oldest first. Apart from the migrations themselves, because every opening of the store
 * compares the last name with the store's, and only a migration needs kysely.
 */
export const migrationNames = ['0001_initial'] as const;

export type MigrationName = (typeof migrationNames)[number];

/** What a store that is up to date says. */
export const latestMigration: MigrationName = '0001_initial';
