import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
const directory = process.argv[2] ?? '';
const { AnalysisProject } = await import('./extension/analysis/analysis-project.ts');
const mem = (what: string) => { (globalThis as any).gc?.(); const m = process.memoryUsage(); console.log(what, 'rss', Math.round(m.rss/1e6), 'heap', Math.round(m.heapUsed/1e6), 'total', Math.round(m.heapTotal/1e6), 'ext', Math.round(m.external/1e6)); };
mem('loaded');
const project = new AnalysisProject({ directory });
project.analysis(); mem('analysed');
const text = readFileSync(join(directory, 'steps.ts'), 'utf8');
for (let i = 0; i < 12; i++) { project.update(join(directory, 'steps.ts'), text + `export const version${i} = 2;\n`); const t = performance.now(); project.analysis(); console.log('shared', Math.round(performance.now() - t)); }
mem('edited');
