import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
const [directory = '', n = '500'] = process.argv.slice(2);
const src = (await import('node:fs')).readFileSync('test/bench/analysis.ts', 'utf8');
const body = src.slice(src.indexOf('function stepsFile'));
const files = Number(n), nodes = 20;
const f = new Function('nodes', (await import('typescript')).default.transpile(body) + '; return { stepsFile, pipelineFile };')(nodes);
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'steps.ts'), f.stepsFile());
for (let i = 0; i < files; i++) { const folder = join(directory, 'area_' + (i % 10)); mkdirSync(folder, { recursive: true }); writeFileSync(join(folder, `p${i}.pipeline.ts`), f.pipelineFile(i)); }
