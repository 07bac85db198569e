const directory = process.argv[2] ?? '';
const mem = (what: string) => { const m = process.memoryUsage(); console.log(what, 'rss', Math.round(m.rss/1e6), 'heap', Math.round(m.heapUsed/1e6), 'total', Math.round(m.heapTotal/1e6)); };
mem('start');
const { AnalysisProject } = await import('./extension/analysis/analysis-project.ts');
mem('loaded');
const project = new AnalysisProject({ directory });
const u = process.cpuUsage(); project.analysis(); const v = process.cpuUsage(u); mem('analysed ' + Math.round((v.user+v.system)/1000) + 'ms');
await new Promise(r => setTimeout(r, 3000)); mem('idle'); (globalThis as any).gc?.();  await new Promise(r => setTimeout(r, 1000)); mem('gc');console.log(typeof project);
