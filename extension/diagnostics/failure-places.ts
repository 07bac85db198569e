/** Where an error belongs in the source: the places that its text names, beside the task that failed. */

/** A place that an error text names; line and column count from 1. */
export interface NamedPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong there, without the place. */
  readonly message: string;
}

/**
 * The first `file:line:column: …` of an error, as Millrace writes it for SQL files and for pipeline files. The message
 * goes on to the end of the text, because the server's detail and hint stand below.
 */
export function namedPlace(error: string): NamedPlace | undefined {
  const match =
    /^(?<file>[^\s:][^:\n]*(?:(?<=^[A-Za-z]):[^:\n]+)?):(?<line>\d+):(?<column>\d+): (?<rest>[\s\S]*)/m.exec(
      error,
    );
  const { file, line, column, rest } = match?.groups ?? {};
  if (file === undefined || rest === undefined) return undefined;
  return { file, line: Number(line), column: Number(column), message: messageOf(rest) };
}

/** Without the excerpt of the source and its caret, which the editor shows anyway. */
function messageOf(rest: string): string {
  const lines = rest.replace(/^(?:ERROR|FATAL|error): /, '').split('\n');
  const caret = lines.findIndex(line => /^\s*\^\s*$/.test(line));
  const kept = caret > 0 ? [...lines.slice(0, caret - 1), ...lines.slice(caret + 1)] : lines;
  return kept.join('\n').trimEnd();
}

const mostLines = 20;

/** An error for a hover: its first lines. */
export function excerptOfError(error: string): string {
  const lines = error.trimEnd().split('\n');
  return lines.length > mostLines ? [...lines.slice(0, mostLines), '…'].join('\n') : lines.join('\n');
}
