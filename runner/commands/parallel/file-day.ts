/** The day that the name of a file tells. */
import { describeValue, PipelineError } from '../../api/errors.ts';

/** Finds the day in a file's name. */
export class FileDay {
  readonly #what: () => string;
  readonly #regex: RegExp;
  readonly #isNamed: boolean;

  /**
   * @param what the parallel task, for messages
   * @throws PipelineError when it is no regular expression, or has no groups for year, month and day
   */
  constructor(what: () => string, regex: unknown) {
    this.#what = what;
    if (!(regex instanceof RegExp) && typeof regex !== 'string') {
      throw new PipelineError(
        `${what()}: dateRegex must be a regular expression with groups for year, month and day, ` +
          `such as /(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)/, not ${describeValue(regex)}.`,
      );
    }
    let groups: RegExpExecArray | null;
    try {
      const { source, flags } = typeof regex === 'string' ? { source: regex, flags: '' } : regex;
      // These flags would make it remember where the last match was.
      this.#regex = new RegExp(source, flags.replace(/[gy]/g, ''));
      groups = new RegExp(`(?:${source})|`, flags.replace(/[gy]/g, '')).exec('');
    } catch (error) {
      throw new PipelineError(
        `${what()}: dateRegex is not valid: ${error instanceof Error ? error.message : ''}`,
        {
          cause: error,
        },
      );
    }
    const named = Object.keys(groups?.groups ?? {});
    this.#isNamed = ['year', 'month', 'day'].every(name => named.includes(name));
    if (!this.#isNamed && (named.length > 0 || (groups?.length ?? 0) < 4)) {
      throw new PipelineError(
        `${what()}: dateRegex must have the groups year, month and day: named ones, or the first three.`,
      );
    }
  }

  /**
   * The day as `YYYY-MM-DD`.
   *
   * @throws PipelineError when the name tells none
   */
  of(file: string): string {
    const found = this.#regex.exec(file);
    if (found === null) {
      throw new PipelineError(
        `${this.#what()}: the file "${file}" does not match dateRegex ${String(this.#regex)}, so its day is not known. ` +
          'Change dateRegex, or filePattern so that it leaves the file out.',
      );
    }
    const { year, month, day } = this.#isNamed
      ? (found.groups ?? {})
      : { year: found[1], month: found[2], day: found[3] };
    const text = `${(year ?? '').padStart(4, '0')}-${(month ?? '').padStart(2, '0')}-${(day ?? '').padStart(2, '0')}`;
    const time = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined;
    // Date makes March of February 30.
    if (time === undefined || Number.isNaN(time.getTime()) || time.toISOString().slice(0, 10) !== text) {
      throw new PipelineError(
        `${this.#what()}: dateRegex finds the day ${text} in "${file}", which there is not.`,
      );
    }
    return text;
  }
}
