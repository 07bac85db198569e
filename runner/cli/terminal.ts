import type { Style } from './style.ts';

/** What a command of the command line works with. Results go to `stdout`, words of Millrace itself to `stderr`. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** The working directory. */
  readonly directory: string;
  /** `--project`, as given. */
  readonly project: string | undefined;
  readonly style: Style;
  readonly errorStyle: Style;
}

/** A line of Millrace itself. */
export function say(terminal: Pick<Terminal, 'stderr'>, text: string): void {
  terminal.stderr.write(`millrace: ${text}\n`);
}
