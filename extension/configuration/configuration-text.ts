/** The effective configuration as text: every value, and where it comes from. */
import type { ConfigurationRecord } from '../../runner/records.ts';
import { t } from '../l10n.ts';

export interface ChangedSetting {
  readonly key: string;
  readonly value: string;
  readonly origin: 'user' | 'workspace' | 'folder';
}

export interface ConfigurationSource {
  readonly name: string;
  readonly directory: string;
  readonly records: readonly ConfigurationRecord[];
  /** Settings of the editor that are not as they come. */
  readonly settings: readonly ChangedSetting[];
  readonly store: string;
  readonly runtime: string;
}

export function configurationText(source: ConfigurationSource): string {
  const { name, directory, records, settings, store, runtime } = source;
  return [
    `# ${t('Effective configuration of {0}', name)}`,
    '',
    `${t('Project')}: ${directory}`,
    `${t('Store')}: ${store}`,
    `${t('Runs with')}: ${runtime}`,
    '',
    `## ${t('Configuration of the project')}`,
    '',
    ...columns([
      [t('key'), t('value'), t('from')],
      ...records.map(({ key, value, origin }) => [key, value, origin]),
    ]),
    '',
    `## ${t('Settings of the editor that differ from their defaults')}`,
    '',
    ...(settings.length === 0
      ? [t('none')]
      : columns(settings.map(({ key, value, origin }) => [key, withoutPassword(value), originWord(origin)]))),
    '',
  ].join('\n');
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const cell = (row: readonly string[], column: number): string =>
    (row[column] ?? '').replace(/\s*\n\s*/g, ' ');
  const widths = [0, 1].map(column => Math.max(...rows.map(row => cell(row, column).length)));
  return rows.map(row =>
    [cell(row, 0).padEnd(widths[0] ?? 0), cell(row, 1).padEnd(widths[1] ?? 0), cell(row, 2)]
      .join('  ')
      .trimEnd(),
  );
}

/** Somebody may have put one into an address all the same. */
function withoutPassword(value: string): string {
  return value.replace(/(:\/\/[^:@/?#]*):.*@/s, '$1:***@');
}

function originWord(origin: ChangedSetting['origin']): string {
  switch (origin) {
    case 'user':
      return t('user settings');
    case 'workspace':
      return t('workspace settings');
    case 'folder':
      return t('folder settings');
  }
}
