/** The report of an analysis for the command line. */
import { resolve } from 'node:path';
import type { AnalysisReport } from '../../runner/analysis-report.ts';
import { analyzeProjectAndSql } from '../analysis/analysis-project.ts';

export async function reportOf(directory: string): Promise<AnalysisReport> {
  const { root, files, diagnostics } = await analyzeProjectAndSql({ directory: resolve(directory) });
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

export async function printReport(directory: string): Promise<void> {
  process.stdout.write(`${JSON.stringify(await reportOf(directory))}\n`);
}
