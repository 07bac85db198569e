/** The user asked for something that is not there or does not fit; the command line exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = 2;
}
