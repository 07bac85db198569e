/** Stored output as the text of a document. */
import { stripVTControlCharacters } from 'node:util';
import { formatPath } from '../../runner/model.ts';
import type { OutputExtent, OutputRecord } from '../../runner/records.ts';
import { t } from '../l10n.ts';

/** A document is one text in the editor's memory; more lines than this are for the page of the run, which reads as it scrolls. */
export const longestDocument = 100_000;

/** Lines as `08:41:39 load/customers  text`; the path only where a document is about several nodes. */
export function outputLines(records: readonly OutputRecord[], withPaths: boolean): string {
  return records
    .map(({ at, nodePath, message, isError }) => {
      const time = new Date(at).toTimeString().slice(0, 8);
      const path = withPaths ? ` ${formatPath(nodePath)}` : '';
      const text = stripVTControlCharacters(message).replace(/[\r\u2028\u2029]/g, ' ');
      return `${time}${path} ${isError ? '!' : ' '} ${text}\n`;
    })
    .join('');
}

/** What stands above the lines when there are more than a document holds. */
export function cutNotice({ lines }: OutputExtent, first: number): string {
  if (first === 0) return '';
  return `${t('The last {0} of {1} lines; the page of the run shows all of them.', lines - first, lines)}\n\n`;
}
