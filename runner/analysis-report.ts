/**
 * What the process of the static analysis prints for `millrace check` and `millrace graph --static`. The runner starts
 * it (`check DIRECTORY`) and reads one JSON value from its standard output. This file imports nothing but the nouns.
 */
import type { NodeGraph, SourceLocation } from './model.ts';

export interface ReportedMistake {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly location: SourceLocation;
  readonly related: readonly { readonly message: string; readonly location: SourceLocation }[];
}

export interface ReportedFile {
  /** Absolute. */
  readonly file: string;
  /** `exact`: as loading gives it; `partial`: with placeholders; `failed`: it cannot be loaded; `dynamic`: not known. */
  readonly status: 'exact' | 'partial' | 'failed' | 'dynamic';
}

export interface AnalysisReport {
  readonly root: NodeGraph;
  readonly files: readonly ReportedFile[];
  /** In the order of their places. */
  readonly mistakes: readonly ReportedMistake[];
}

/** @throws Error when it is no report */
export function parseReport(text: string): AnalysisReport {
  const value: unknown = JSON.parse(text);
  const isReport =
    typeof value === 'object' &&
    value !== null &&
    'root' in value &&
    'files' in value &&
    Array.isArray(value.files) &&
    'mistakes' in value &&
    Array.isArray(value.mistakes);
  if (!isReport) throw new Error('the static analysis gave no report');
  return value as AnalysisReport;
}
