/** The report of an analysis for the command line. */
import { resolve } from 'node:path';
import type { AnalysisReport } from '../../runner/analysis-report.ts';
import { analyzeProject } from '../analysis/analysis-project.ts';

export function reportOf(directory: string): AnalysisReport {
  const { root, files, diagnostics } = analyzeProject({ directory: resolve(directory) });
  return {
    root,
    files: files.map(({ file, status }) => ({ file, status })),
    mistakes: diagnostics.map(({ code, severity, message, location, related }) => ({
      code,
      severity,
      message,
      location,
      related,
    })),
  };
}

export function printReport(directory: string): void {
  process.stdout.write(`${JSON.stringify(reportOf(directory))}\n`);
}
