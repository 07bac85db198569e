import { writeHeapSnapshot } from 'node:v8';
const directory = process.argv[2] ?? '';
const { AnalysisProject } = await import('./extension/analysis/analysis-project.ts');
const project = new AnalysisProject({ directory });
project.analysis();
writeHeapSnapshot('/tmp/prof-an/h.heapsnapshot');
console.log(typeof project);
