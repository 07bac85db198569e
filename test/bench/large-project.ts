/** A project of many pipeline files that share one, as U3 and the bench of the language server have it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The file that all others import. */
export const sharedFile = 'steps.ts';

/** @returns the names of the pipeline files */
export function writeProject(directory: string, count: number, size: number): string[] {
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(directory, sharedFile), stepsFile());
  return Array.from({ length: count }, (_, index) => {
    const name = join(`area_${String(index % 10)}`, `p${String(index)}.pipeline.ts`);
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), pipelineFile(index, size));
    return name;
  });
}

export function stepsFile(): string {
  return `import { ExecuteSQL, RunBash, Task } from 'millrace';
export const step = (id: string, ...lines: string[]) =>
  new Task({ id, description: \`Runs \${id}\`, commands: [new RunBash(lines.join(' && ')), new ExecuteSQL({ sql: \`select '\${id}'\` })] });
`;
}

function pipelineFile(index: number, size: number): string {
  const tasks = Array.from({ length: size / 2 }, (_, n) => {
    const upstreams = n > 0 ? `, ['task_${String(n - 1)}']` : '';
    return `pipeline.add(new Task({ id: 'task_${String(n)}', description: 'Number ${String(n)}', commands: [new RunBash('echo ${String(n)}')] })${upstreams});`;
  });
  return `import { Pipeline, RunBash, Task } from 'millrace';
import { step } from '../steps.ts';

const pipeline = new Pipeline({ id: 'pipeline_${String(index)}', description: 'One of many' });
${tasks.join('\n')}
for (const [index, table] of Array.from({ length: ${String(size / 2)} }, (_, n) => \`table_\${n}\`).entries()) {
  pipeline.add(step(\`load_\${table}\`, 'true', table), index > 0 ? [\`load_table_\${index - 1}\`] : []);
}
export default pipeline;
`;
}
