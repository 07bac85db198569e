/**
 * How fast the static analysis is: the first graph of a project, and the graph after an edit, against parsing alone. All times are of the processor.
 * `node test/bench/analysis.ts [files] [nodes per file]`; for the memory of the server, see language-server.ts.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const files = Number(process.argv[2] ?? 100);
const nodes = Number(process.argv[3] ?? 20);
const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
const edits = 20;

try {
  const paths = writeProject();
  const beforeLoading = cpuTime();
  const { AnalysisProject } = await import('../../extension/analysis/analysis-project.ts');
  const loadTime = cpuTime() - beforeLoading;
  const project = new AnalysisProject({ directory });
  const [firstTime, first] = measure(() => project.analysis());
  const memory = process.memoryUsage().rss / 1e6;
  const editTimes: number[] = [];
  for (let edit = 0; edit < edits; edit++) {
    const path = paths[(edit * 7) % paths.length] ?? '';
    const text = `${readFileSync(path, 'utf8')}pipeline.add(new Task({ id: 'edit_${String(edit)}' }));\n`;
    editTimes.push(
      measure(() => {
        project.update(path, text);
        return project.analysis();
      })[0],
    );
  }
  const sharedTimes = Array.from({ length: 7 }, (_, edit) => {
    project.update(join(directory, 'steps.ts'), `${stepsFile()}export const version = ${String(edit)};\n`);
    return measure(() => project.analysis())[0];
  }).sort((a, b) => a - b);
  const sqlStart = cpuTime();
  await project.sqlAnalysis();
  const sqlTime = cpuTime() - sqlStart;
  const sqlPath = paths[0] ?? '';
  project.update(sqlPath, `${readFileSync(sqlPath, 'utf8')}// edited\n`);
  project.analysis();
  const sqlEditStart = cpuTime();
  await project.sqlAnalysis();
  const sqlEditTime = cpuTime() - sqlEditStart;
  const { parse } = await import('../../extension/analysis/syntax.ts');
  const [parseTime] = measure(() => {
    for (const path of paths) parse(`${path}.copy.ts`, readFileSync(path, 'utf8'));
  });
  editTimes.sort((a, b) => a - b);
  const report = {
    files,
    nodes: first.root.nodes.reduce((sum, { nodes: children }) => sum + children.length + 1, 0),
    inexact: first.files.filter(({ status }) => status !== 'exact').length,
    'load the analysis, ms': loadTime,
    'first graph, ms': firstTime,
    'cold process to first graph, ms': beforeLoading + loadTime + firstTime,
    'edit of a file, median ms': editTimes[Math.floor(edits / 2)],
    'edit of a file, max ms': editTimes.at(-1),
    'edit of a file that all import, ms': sharedTimes[3],
    'SQL of all tasks, first, ms': sqlTime,
    'SQL of all tasks, after an edit, ms': sqlEditTime,
    'parse all files alone (warm), ms': parseTime,
    'memory after the first graph, MB': memory,
    'memory in the end, MB': process.memoryUsage().rss / 1e6,
  };
  for (const [name, value] of Object.entries(report)) console.log(name.padEnd(36), Math.round(Number(value)));
} finally {
  rmSync(directory, { recursive: true });
}

/** Processor time, so that what else the machine does counts less; wall time on an idle machine is below it. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function measure<T>(action: () => T): [milliseconds: number, result: T] {
  const start = cpuTime();
  const result = action();
  return [cpuTime() - start, result];
}

function writeProject(): string[] {
  writeFileSync(join(directory, 'steps.ts'), stepsFile());
  return Array.from({ length: files }, (_, index) => {
    const folder = join(directory, `area_${String(index % 10)}`);
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `p${String(index)}.pipeline.ts`);
    writeFileSync(path, pipelineFile(index));
    return path;
  });
}

function stepsFile(): string {
  return `import { ExecuteSQL, RunBash, Task } from 'millrace';
export const step = (id: string, ...lines: string[]) =>
  new Task({ id, description: \`Runs \${id}\`, commands: [new RunBash(lines.join(' && ')), new ExecuteSQL({ sql: \`select '\${id}'\` })] });
`;
}

function pipelineFile(index: number): string {
  const literal = Array.from({ length: nodes / 2 }, (_, n) => {
    const upstreams = n > 0 ? `, ['task_${String(n - 1)}']` : '';
    return `pipeline.add(
  new Task({
    id: 'task_${String(n)}',
    description: 'Does what is to be done as number ${String(n)}',
    commands: [new RunBash('echo ${String(n)}')],
  })${upstreams},
);`;
  });
  return `import { Pipeline, RunBash, Task } from 'millrace';
import { step } from '../steps.ts';

const pipeline = new Pipeline({ id: 'pipeline_${String(index)}', description: 'One of many' });
${literal.join('\n')}
for (const [index, table] of Array.from({ length: ${String(nodes / 2)} }, (_, n) => \`table_\${n}\`).entries()) {
  pipeline.add(step(\`load_\${table}\`, 'true', table), index > 0 ? [\`load_table_\${index - 1}\`] : []);
}
export default pipeline;
`;
}
