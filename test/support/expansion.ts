/** Expands parallel tasks outside of a worker. */
import type { Database, ExpansionContext } from '../../runner/api/context.ts';

export interface TestExpansion extends ExpansionContext {
  /** The log; `!` before errors. */
  readonly lines: string[];
}

export interface TestExpansionOptions {
  readonly dataDir?: string;
  readonly basePath?: string;
  readonly firstDate?: string;
  readonly lastDate?: string;
  readonly parallel?: number;
  readonly chain?: string;
  readonly db?: (alias?: string) => Promise<Database>;
}

export function expansionContext(options: TestExpansionOptions = {}): TestExpansion {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(...text.split('\n'));
  return {
    lines,
    dataDir: options.dataDir ?? '/data',
    firstDate: options.firstDate ?? '2000-01-01',
    lastDate: options.lastDate ?? '3000-01-01',
    basePath: options.basePath ?? '/project',
    log: {
      info: say,
      command: say,
      verbatim: say,
      error: text => {
        say(`!${text}`);
      },
      write: say,
    },
    signal: new AbortController().signal,
    params: {},
    run: { id: 1, startedAt: new Date(0), attempt: 1, chain: options.chain ?? 'run 1' },
    parallel: options.parallel ?? 2,
    state: {
      fileDependency: () => Promise.resolve(null),
      setFileDependency: () => Promise.resolve(),
      deleteFileDependency: () => Promise.resolve(),
    },
    db: options.db ?? (() => Promise.reject(new Error('this test has no database'))),
  };
}
