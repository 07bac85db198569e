/** Diagnostics of the static analysis as tests compare them: with the texts that are underlined. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Diagnostic } from '../../extension/analysis/analysis.ts';
import type { SourceLocation } from '../../runner/model.ts';

export interface ExpectedDiagnostic {
  readonly code: string;
  readonly message: string;
  /** The text that is underlined. */
  readonly at: string;
  /** Default: the file of the test. */
  readonly file?: string;
  /** Message and text of related places. */
  readonly related?: readonly (readonly [string, string])[];
  readonly suggestion?: string;
  readonly severity?: 'warning';
  /** Titles of the fixes, and the lines that each leaves where it changes something. */
  readonly fixes?: readonly (readonly [string, string])[];
}

/** What was found, in the form of what is expected. */
export function shownDiagnostics(directory: string, diagnostics: readonly Diagnostic[]): unknown[] {
  return diagnostics.map(({ code, message, location, related, suggestion, severity, fixes = [] }) => ({
    code,
    message,
    at: textAt(location),
    file: relative(directory, location.file),
    related: related.map(place => [place.message, textAt(place.location)]),
    suggestion,
    severity,
    fixes: fixes.map(({ title, edits }) => [title, edits.map(appliedLines).join('\n')]),
  }));
}

export function expectedDiagnostics(expected: readonly ExpectedDiagnostic[], file: string): unknown[] {
  return expected.map(each => ({
    code: each.code,
    message: each.message,
    at: each.at,
    file: each.file ?? file,
    related: each.related ?? [],
    suggestion: each.suggestion,
    severity: each.severity ?? 'error',
    fixes: each.fixes ?? [],
  }));
}

function textAt(location: SourceLocation): string {
  const text = readFileSync(location.file, 'utf8');
  const [start, end] = offsets(text, location);
  return text.slice(start, end);
}

/** The lines of a file that an edit changes, after it. */
function appliedLines({
  location,
  text,
}: {
  readonly location: SourceLocation;
  readonly text: string;
}): string {
  const original = readFileSync(location.file, 'utf8');
  const [start, end] = offsets(original, location);
  const lineStart = original.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = `${original}\n`.indexOf('\n', end);
  return original.slice(lineStart, start) + text + original.slice(end, lineEnd);
}

function offsets(
  text: string,
  { line, column = 1, endLine = line, endColumn = column }: SourceLocation,
): [number, number] {
  const lines = text.split('\n');
  const offset = (at: number, to: number): number =>
    lines.slice(0, at - 1).join('\n').length + (at > 1 ? 1 : 0) + to - 1;
  return [offset(line, column), offset(endLine, endColumn)];
}
