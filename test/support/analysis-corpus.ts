/** The corpus of the static analysis, laid out as projects in a directory of its own. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fixtures = fileURLToPath(new URL('../fixtures/analysis/', import.meta.url));

/** Where a program can live that the others must not see. */
export interface CorpusProgram {
  readonly name: string;
  readonly set: 'cases' | 'holdout';
  readonly file: string;
}

/** The programs that are one file each. */
export function corpusPrograms(): CorpusProgram[] {
  return (['cases', 'holdout'] as const).flatMap(set =>
    readdirSync(join(fixtures, set))
      .filter(name => name.endsWith('.pipeline.ts'))
      .sort()
      .map(name => ({ name: name.replace('.pipeline.ts', ''), set, file: join(fixtures, set, name) })),
  );
}

/** The projects of several files. */
export function corpusProjects(): string[] {
  const directory = join(fixtures, 'projects');
  return readdirSync(directory)
    .sort()
    .map(name => join(directory, name));
}

/** Makes a project of one program, with the files that programs of the corpus import. */
export function layOut(directory: string, { file, set, name }: CorpusProgram, text?: string): string {
  mkdirSync(directory, { recursive: true });
  if (set === 'cases') {
    for (const shared of ['lib', 'checks', '44.json']) {
      cpSync(join(fixtures, 'cases', shared), join(directory, shared), {
        recursive: true,
        // It imports the one program that has a cycle.
        filter: source => !source.endsWith('cyc.ts') || name.startsWith('71'),
      });
    }
    cpSync(join(fixtures, 'packages'), join(directory, 'node_modules'), { recursive: true });
  }
  const target = join(directory, `${name}.pipeline.ts`);
  if (text === undefined) cpSync(file, target);
  else writeFileSync(target, text);
  return directory;
}
