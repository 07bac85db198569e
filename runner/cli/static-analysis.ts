/** Starts the static analysis, which is a program of its own: the runner knows nothing of it but its report. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { type AnalysisReport, parseReport } from '../analysis-report.ts';
import { entryFile } from '../entry-files.ts';

/** A report of 100,000 nodes with all their places stays below. */
const longestReport = 1_000_000_000;

/** @throws Error when the analysis does not end as it should, which is a bug */
export async function analyzeStatically(directory: string): Promise<AnalysisReport> {
  const file = entryFile('check');
  if (!existsSync(file)) throw new Error(`the static analysis is missing: ${file}`);
  const { stdout } = await promisify(execFile)(process.execPath, [file, directory], {
    maxBuffer: longestReport,
  });
  return parseReport(stdout);
}
