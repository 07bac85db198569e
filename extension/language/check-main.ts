/** The static analysis as a process of its own: `check DIRECTORY` prints a report (runner/analysis-report.ts). */
import { enableCompileCache } from 'node:module';
import { useV8Flags } from './v8-flags.ts';

enableCompileCache();
useV8Flags();
const { printReport } = await import('./report.ts');
await printReport(process.argv[2] ?? process.cwd());
