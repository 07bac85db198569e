/** Mistakes and their remedies as the language server protocol has them. */
import {
  type CodeAction,
  CodeActionKind,
  type Diagnostic as EditorDiagnostic,
  DiagnosticSeverity,
  type TextEdit,
} from 'vscode-languageserver/node';
import type { Diagnostic, Fix } from '../analysis/analysis.ts';
import { contains, isBefore, rangeOfLocation, uriOf } from './place.ts';
import type { Range } from './protocol.ts';

/** @param documentation begins the links to the pages that explain the mistakes; `undefined`: there are none */
export function toEditorDiagnostic(
  diagnostic: Diagnostic,
  documentation: string | undefined,
): EditorDiagnostic {
  const { code, severity, message, location, related } = diagnostic;
  return {
    range: rangeOfLocation(location),
    severity: severity === 'error' ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    ...(documentation !== undefined && {
      codeDescription: { href: `${documentation}/diagnostics.md#${code}` },
    }),
    source: 'millrace',
    message,
    relatedInformation: related.map(({ message: text, location: at }) => ({
      message: text,
      location: { uri: uriOf(at.file), range: rangeOfLocation(at) },
    })),
  };
}

/** The remedies for mistakes at a range of a file. */
export function quickFixes(
  diagnostics: readonly Diagnostic[],
  file: string,
  range: Range,
  documentation: string | undefined,
): CodeAction[] {
  return diagnostics
    .filter(({ location }) => location.file === file && overlaps(rangeOfLocation(location), range))
    .flatMap(diagnostic =>
      (diagnostic.fixes ?? []).map((fix, index) => ({
        title: fix.title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [toEditorDiagnostic(diagnostic, documentation)],
        isPreferred: index === 0 && diagnostic.fixes?.length === 1,
        edit: { changes: changesOf(fix) },
      })),
    );
}

function changesOf({ edits }: Fix): Record<string, TextEdit[]> {
  const changes: Record<string, TextEdit[]> = {};
  for (const { location, text } of edits) {
    (changes[uriOf(location.file)] ??= []).push({ range: rangeOfLocation(location), newText: text });
  }
  return changes;
}

function overlaps(a: Range, b: Range): boolean {
  return contains(a, b) || (!isBefore(a.end, b.start) && !isBefore(b.end, a.start));
}
