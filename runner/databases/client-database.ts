/** A database of the project that is reached through its command line client. */
import { access } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Database, Processes, QueryResult } from '../api/context.ts';
import { databaseTypeNames } from '../api/databases.ts';
import { PipelineError } from '../api/errors.ts';
import { type Client, type ClientCall, withoutSemicolon } from './clients/client.ts';
import { clientOf, type DrivenDefinition } from './clients/clients.ts';
import { findProgram } from './clients/find-program.ts';
import { clientOutput, type ClientRun, runClient } from './clients/run-client.ts';
import type { BinaryText, RowBatch } from './rows/row.ts';

export interface ClientDatabaseOptions {
  readonly alias: string;
  readonly definition: DrivenDefinition;
  /** Runs the client, and ends it when its task ends. */
  readonly processes: Processes;
}

/** Takes what a client says. */
export interface ClientLog {
  /** What is about to be run. */
  statement?(text: string): void;
  /** What the client prints, as it comes. */
  output(chunk: Buffer): void | Promise<void>;
  /** What it says on standard error, whole lines. */
  error(text: string): void;
}

/** The rows of a query, as they come. */
export interface QueryRows {
  readonly batches: AsyncGenerator<RowBatch>;
  /** How values of binary columns are written. */
  readonly binary: BinaryText;
}

/** Every script and every query is a call of the client with a connection of its own. */
export class ClientDatabase implements Database, AsyncDisposable {
  readonly alias: string;
  readonly definition: DrivenDefinition;
  readonly client: Client<DrivenDefinition>;
  readonly #processes: Processes;
  #program: string | undefined;

  constructor({ alias, definition, processes }: ClientDatabaseOptions) {
    this.alias = alias;
    this.definition = definition;
    this.client = clientOf(definition);
    this.#processes = processes;
  }

  /** The type, as people read it. */
  get typeName(): string {
    return databaseTypeNames[this.definition.type];
  }

  /**
   * Runs a script and stops at the first error.
   *
   * @throws ClientError with what the client said; PipelineError when the client is not installed
   */
  async runScript(
    {
      sql,
      echo,
      timezone,
    }: { readonly sql: string; readonly echo: boolean; readonly timezone?: string | undefined },
    log: ClientLog,
  ): Promise<void> {
    if (timezone !== undefined && !this.client.hasTimezone) {
      throw new PipelineError(
        `Database "${this.alias}": a session of ${this.typeName} gets no time zone from its client. Leave out timezone, or set it in the SQL.`,
      );
    }
    const call = this.client.script(await this.program(), this.definition, { sql, echo, timezone });
    if (echo && !this.client.echoes) log.statement?.(sql.trim());
    await this.run(call, {
      onStdout: chunk => log.output(chunk),
      onError: text => {
        log.error(text);
      },
    });
  }

  /**
   * Starts a query; its rows come as they are asked for.
   *
   * @throws ClientError when the query fails; PipelineError when the client cannot give rows, or is not installed
   */
  async rows(
    sql: string,
    {
      timezone,
      onError,
    }: { readonly timezone?: string | undefined; readonly onError?: (text: string) => void } = {},
  ): Promise<QueryRows> {
    if (this.client.query === undefined) {
      throw new PipelineError(
        `Database "${this.alias}": the client of ${this.typeName} has no output that keeps all values, so rows cannot be read from it.`,
      );
    }
    await this.#checkFile();
    const plan = this.client.query(await this.program(), this.definition, {
      sql: withoutSemicolon(sql),
      timezone: this.client.hasTimezone ? timezone : undefined,
    });
    const call = 'describe' in plan ? plan.query(await text(this.output(plan.describe, onError))) : plan;
    return { batches: call.decode(this.output(call, onError)), binary: call.binary };
  }

  /** Runs one query and keeps its rows as objects; values are text or `null`. */
  async query(statement: string, values: readonly unknown[] = []): Promise<QueryResult> {
    if (values.length > 0) {
      throw new PipelineError(
        `Database "${this.alias}": the client of ${this.typeName} takes no values besides the SQL.`,
      );
    }
    const rows: Record<string, unknown>[] = [];
    const { batches } = await this.rows(statement);
    for await (const batch of batches) {
      for (const row of batch.rows)
        rows.push(
          Object.fromEntries(row.map((cell, index) => [batch.columns[index] ?? String(index + 1), cell])),
        );
    }
    return { rows, rowCount: rows.length };
  }

  /** Runs a call for this database. */
  async run(
    call: ClientCall,
    options: {
      readonly onStdout?: (chunk: Buffer) => void | Promise<void>;
      readonly onError?: ((text: string) => void) | undefined;
    } = {},
  ): Promise<void> {
    await runClient(this.#run(options.onError), call, options.onStdout);
  }

  /** What a call for this database prints. */
  output(call: ClientCall, onError?: (text: string) => void): AsyncGenerator<Buffer> {
    return clientOutput(this.#run(onError), call);
  }

  /**
   * The client's program.
   *
   * @throws PipelineError when it is not installed
   */
  async program(): Promise<string> {
    return (this.#program ??= await requireProgram(this.alias, this.client.programs, this.client.install));
  }

  /** Nothing is open between two calls. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
  }

  #run(onError: ((text: string) => void) | undefined): ClientRun {
    return {
      alias: this.alias,
      processes: this.#processes,
      secrets: this.definition.secrets(),
      onError,
      explain: this.client.error,
    };
  }

  async #checkFile(): Promise<void> {
    if (this.definition.type !== 'sqlite') return;
    const { file } = this.definition.options;
    await access(file).catch((cause: unknown) => {
      throw new PipelineError(`Database "${this.alias}": there is no file ${file}, or it cannot be read.`, {
        cause,
      });
    });
  }
}

/** @throws PipelineError that says how to install the program, when it is not there */
export async function requireProgram(
  alias: string,
  names: readonly string[],
  install: string,
): Promise<string> {
  const program = await findProgram(names);
  if (program !== undefined) return program;
  const named = names.map(name => `"${name}"`).join(' or ');
  throw new PipelineError(
    `Database "${alias}" needs the program ${named}, which was not found. Install ${install}.`,
  );
}
