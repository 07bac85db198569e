/** What the values of a project's configuration may be. Loaded only where there is a value to check. */
import * as z from 'zod/mini';
import type { ProjectConfig } from '../api/config.ts';
import { isPipeline } from '../api/node.ts';

interface Rule {
  readonly schema: z.ZodMiniType;
  /** Completes "… must be". */
  readonly expected: string;
  /** Whether the value may hold a secret, so that no message shows it. */
  readonly isSecret?: boolean;
}

const text = z.string().check(z.minLength(1));
/** What lies outside the project is not the project's, and loading it would run it. */
const insidePattern = text.check(z.regex(/^(?!\/|[A-Za-z]:)(?!(?:.*[\\/{,])?\.\.(?:[\\/},]|$))/));
const day = z.iso.date();
const isFunction = (value: unknown): boolean => typeof value === 'function';

function count(min: number): Rule {
  return {
    schema: z.int().check(z.gte(min)),
    expected: `a whole number of at least ${String(min)}`,
  };
}

/** Longer would not fit into a timer of Node. */
const MAX_SECONDS = 2_147_483;

const seconds: Rule = {
  schema: z.number().check(z.gte(0), z.lte(MAX_SECONDS)),
  expected: `a number of seconds from 0 to ${String(MAX_SECONDS)}`,
};

export const CONFIG_RULES: Readonly<Record<keyof ProjectConfig, Rule>> = {
  databases: {
    schema: z.record(z.string(), z.looseObject({ type: z.string() })),
    expected: 'an object with databases by alias, like { dwh: postgres({ url }) }',
  },
  defaultDatabase: { schema: text, expected: 'the alias of a database' },
  dataDir: { schema: text, expected: 'the path of a directory' },
  firstDate: { schema: day, expected: 'a day like "2000-01-31"' },
  lastDate: { schema: day, expected: 'a day like "2000-01-31"' },
  maxParallelTasks: count(1),
  defaultMaxRetries: count(0),
  retentionDays: count(1),
  shell: { schema: text, expected: 'a shell with its options, like "/usr/bin/env bash -o pipefail"' },
  eventHandlers: { schema: z.array(z.custom(isFunction)), expected: 'an array of functions' },
  passwordMasks: { schema: z.array(text), expected: 'an array of non-empty strings', isSecret: true },
  systemStatisticsInterval: seconds,
  pipelineFiles: {
    schema: z.union([insidePattern, z.array(insidePattern).check(z.minLength(1))]),
    expected: 'a glob pattern or an array of them, relative to the project and within it',
  },
  root: { schema: z.custom(isPipeline), expected: 'a Pipeline' },
  store: {
    schema: z.string().check(z.regex(/^postgres(?:ql)?:\/\/./)),
    expected: 'a URL like "postgres://user@host:5432/database"',
    isSecret: true,
  },
  killTimeout: seconds,
};

/** Whether a value is what its key may hold. */
export function isValid(key: keyof ProjectConfig, value: unknown): boolean {
  return CONFIG_RULES[key].schema.safeParse(value).success;
}
