/** Checks that a pipeline does not read the schema that it publishes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from '../../api/command.ts';
import type { CommandContext } from '../../api/context.ts';
import { checkOptions, PipelineError } from '../../api/errors.ts';
import { lineage, type Node } from '../../api/node.ts';
import type { DocItem } from '../../model.ts';
import type { CommandSpec } from '../../pool/protocol.ts';
import { settingItems } from '../docs.ts';
import { checkName } from '../execute-sql.ts';
import { FilePattern } from '../parallel/list-files.ts';

export interface SchemaMisuseCheckOptions {
  /** The schema that is published. Default: the label `Schema` of the nearest pipeline that has one. */
  readonly schema?: string | undefined;
}

const optionKeys: ReadonlySet<string> = new Set(['schema'] satisfies (keyof SchemaMisuseCheckOptions)[]);

/** Lines that a message lists. */
const MAX_LISTED = 20;

/** See {@link schemaMisuseCheck}. */
export class SchemaMisuseCheck extends Command {
  readonly #options: SchemaMisuseCheckOptions;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: SchemaMisuseCheckOptions = {}) {
    super();
    checkOptions('schemaMisuseCheck()', options, optionKeys);
    checkName('schemaMisuseCheck()', 'schema', options.schema);
    this.#options = options;
  }

  override shellCommand(): string {
    return `grep --recursive --include='*.sql' '${this.#schema(this.parent)}[.]' .`;
  }

  override async run(context: CommandContext): Promise<void> {
    const schema = this.#schema(context.node);
    const found: string[] = [];
    let files = 0;
    for await (const file of new FilePattern('schemaMisuseCheck()', '**/*.sql').files(
      context.basePath,
      context.signal,
    )) {
      files++;
      const text = await readFile(join(context.basePath, file), 'utf8');
      for (const { line, content } of usesOf(text, schema)) found.push(`${file}:${String(line)}: ${content}`);
    }
    if (found.length > 0) {
      const more = found.length > MAX_LISTED ? [`… (${String(found.length)} in all)`] : [];
      throw new PipelineError(
        [
          `The pipeline reads schema ${schema}, which it replaces in the end, so what it reads is of an earlier run. ` +
            `Read ${schema}_next instead:`,
          ...found.slice(0, MAX_LISTED),
          ...more,
        ].join('\n'),
      );
    }
    context.log.info(`${String(files)} SQL files, none of which uses schema ${schema}`);
  }

  override docs(): DocItem[] {
    return settingItems({ schema: this.#schema(this.parent) });
  }

  override spec(): CommandSpec {
    return { kind: 'SchemaMisuseCheck', options: this.#options };
  }

  #schema(node: Node | undefined): string {
    if (this.#options.schema !== undefined) return this.#options.schema;
    for (const each of node === undefined ? [] : lineage(node)) {
      const label = each.labels['Schema'];
      if (label !== undefined && label !== '') return label;
    }
    throw new PipelineError(
      'schemaMisuseCheck(): give schema, or the pipeline the label Schema: labels: { Schema: "shop" }.',
    );
  }
}

/**
 * A command that fails when one of the SQL files below the base path uses the schema that the pipeline publishes: such a
 * query would read what an earlier run has left. The message lists the places. Comments and texts do not count.
 *
 * @example pipeline.addInitial(new Task({ id: 'start', commands: [schemaMisuseCheck({ schema: 'shop' })] }))
 */
export function schemaMisuseCheck(options: SchemaMisuseCheckOptions = {}): SchemaMisuseCheck {
  return new SchemaMisuseCheck(options);
}

/** Lines, from 1, in which a name of the schema is used. */
export function usesOf(sql: string, schema: string): { readonly line: number; readonly content: string }[] {
  // Blanks stand for what does not count, so that lines stay where they are.
  const code = sql.replace(
    /--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/|(?<![\w$])[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'/g,
    text => text.replace(/[^\n]/g, ' '),
  );
  const name = schema.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const use = new RegExp(`(?<![\\w$."])(?:${name}|"${name}")\\s*\\.`, 'gi');
  const lines = sql.split('\n');
  const numbers = new Set(
    [...code.matchAll(use)].map(({ index }) => code.slice(0, index).split('\n').length),
  );
  return [...numbers].map(line => ({ line, content: lines[line - 1]?.trim() ?? '' }));
}
