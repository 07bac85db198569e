/** The API for the analysis's corpus: with small stand-ins for classes of pipelines-api.md that are still to come. */
import * as millrace from '../../runner/api/index.ts';

interface ParallelSqlOptions {
  readonly id: string;
  readonly description?: string;
  readonly sql?: string;
  readonly parameters?: () => unknown;
  readonly placeholders?: readonly string[];
}

class ParallelExecuteSQL extends millrace.ParallelTask {
  constructor(options: ParallelSqlOptions) {
    super(
      options,
      new Set([...millrace.parallelTaskOptionKeys, 'sql', 'sqlFile', 'parameters', 'placeholders']),
    );
  }

  override addParallelTasks(): void {
    // Its children are made when it runs, which it never does here.
  }
}

class Copy extends millrace.Command {
  readonly #table: string;

  constructor({ table }: { readonly table: string }) {
    super();
    this.#table = table;
  }

  override shellCommand(): string {
    return `copy ${this.#table}`;
  }
}

export const analysisApi = { ...millrace, ParallelExecuteSQL, Copy };
