/** The same work for Millrace and for make. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seconds } from './measure.ts';
import type { WorkloadTask } from './workloads.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(repository, 'dist', 'millrace.js');

/** What a task does, in bash. */
export type CommandOf = (task: WorkloadTask) => string;

export const doNothing: CommandOf = () => 'true';
export const sleepFor: CommandOf = ({ durationSeconds }) => `sleep ${durationSeconds.toFixed(3)}`;

/** A folder with a state folder of its own, in which the embedded server stays warm between rounds. */
export class BenchProject {
  readonly directory: string;
  readonly #home: string;

  private constructor(directory: string, home: string) {
    this.directory = directory;
    this.#home = home;
  }

  /** @param config the text of `millrace.config.ts`, if the project has one */
  static async create(
    parent: string,
    name: string,
    pipeline: string,
    config?: string,
  ): Promise<BenchProject> {
    const directory = join(parent, name);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'package.json'), '{}\n');
    await writeFile(join(directory, `${name}.pipeline.ts`), pipeline);
    if (config !== undefined) await writeFile(join(directory, 'millrace.config.ts'), config);
    return new BenchProject(directory, join(parent, 'home'));
  }

  /** Seconds from the command to its end. */
  run(parallel: number, ...more: readonly string[]): Promise<number> {
    return seconds(() => this.millrace('run', '--parallel', String(parallel), ...more));
  }

  async millrace(...args: readonly string[]): Promise<void> {
    await execute(process.execPath, [launcher, ...args], this.directory, this.environment);
  }

  /** Like {@link run}, with the largest sum over time of the proportional memory of all of Millrace's processes, in MB. */
  async runWithMemory(parallel: number): Promise<{ readonly seconds: number; readonly megabytes: number }> {
    let megabytes = 0;
    let measuring: Promise<void> | undefined;
    const timer = setInterval(() => {
      measuring ??= millraceMemory(this.#home).then(now => {
        megabytes = Math.max(megabytes, now);
        measuring = undefined;
      });
    }, 50);
    const taken = await this.run(parallel);
    clearInterval(timer);
    await measuring;
    return { seconds: taken, megabytes };
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, MILLRACE_HOME: this.#home, NO_COLOR: '1' };
  }
}

/** A pipeline file that declares the tasks one by one. */
export function pipelineFile(id: string, tasks: readonly WorkloadTask[], commandOf: CommandOf): string {
  const declared = tasks.map(task => [task.id, task.upstreams, commandOf(task)]);
  return `import { Pipeline, RunBash, Task } from 'millrace';
const pipeline = new Pipeline({ id: '${id}' });
const tasks: [string, string[], string][] = ${JSON.stringify(declared)};
for (const [id, upstreams, command] of tasks) {
  pipeline.add(new Task({ id, commands: [new RunBash(command)] }), upstreams);
}
export default pipeline;
`;
}

/** Writes a makefile for the tasks; gives what runs it. */
export async function makefile(
  parent: string,
  name: string,
  tasks: readonly WorkloadTask[],
  commandOf: CommandOf,
): Promise<(parallel: number) => Promise<number>> {
  const file = join(parent, `${name}.mk`);
  const ids = tasks.map(task => task.id).join(' ');
  const rules = tasks.map(task => `${task.id}: ${task.upstreams.join(' ')}\n\t@${commandOf(task)}\n`);
  await writeFile(file, `SHELL=/bin/bash\nall: ${ids}\n.PHONY: all ${ids}\n${rules.join('')}`);
  return parallel =>
    seconds(() => execute('make', ['-f', file, `-j${String(parallel)}`, 'all'], parent, process.env));
}

/** Runs a program to its end, its output going nowhere. */
export async function execute(
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(' ')} ended with ${String(code)}`));
    });
  });
}

/** Proportional memory (PSS) of the runner and the workers of a state folder, in MB: shared pages are counted once. */
async function millraceMemory(home: string): Promise<number> {
  let kilobytes = 0;
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
      if (!/\/dist\/(millrace|worker)\.js/.test(command)) continue;
      if (!(await readFile(`/proc/${pid}/environ`, 'utf8')).includes(`MILLRACE_HOME=${home}`)) continue;
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
      kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
    } catch {
      // The process ended meanwhile.
    }
  }
  return kilobytes / 1024;
}
