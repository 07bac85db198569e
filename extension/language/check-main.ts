/** The static analysis as a process of its own: `check DIRECTORY` prints a report (runner/analysis-report.ts). */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { printReport } = await import('./report.ts');
await printReport(process.argv[2] ?? process.cwd());
