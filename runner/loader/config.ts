/** The configuration that is in force for a project, and where each value comes from. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseEnv } from 'node:util';
import { type EventHandler, type ProjectConfig, projectConfigKeys } from '../api/config.ts';
import { type DatabaseDefinition, embeddedPostgres } from '../api/databases.ts';
import { describeValue, didYouMean } from '../api/errors.ts';
import type { Pipeline } from '../api/pipeline.ts';
import { DEFAULT_PIPELINE_FILES } from './discovery.ts';
import { CONFIG_FILE_NAMES, existingFile } from './project.ts';

/** All settings with their defaults filled in. */
export interface EffectiveConfig {
  readonly databases: Readonly<Record<string, DatabaseDefinition>>;
  readonly defaultDatabase: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly firstDate: string;
  readonly lastDate: string;
  readonly maxParallelTasks: number;
  readonly defaultMaxRetries: number;
  readonly retentionDays: number;
  /** `undefined`: bash with `pipefail`. */
  readonly shell: string | undefined;
  readonly eventHandlers: readonly EventHandler[];
  readonly passwordMasks: readonly string[];
  /** Seconds; 0 for none. */
  readonly systemStatisticsInterval: number;
  readonly pipelineFiles: readonly string[];
  readonly root: Pipeline | undefined;
  /** `undefined`: the embedded server. */
  readonly store: string | undefined;
  /** Seconds. */
  readonly killTimeout: number;
}

/** Where a value comes from: `default`, `environment`, or the name of a file such as `millrace.config.ts`. */
export type ConfigOrigin = string;

export interface LoadedConfig {
  readonly config: EffectiveConfig;
  /** By key; databases, which are overridden one by one, also by `databases.<alias>`. */
  readonly origins: Readonly<Record<string, ConfigOrigin>>;
  /** The files that were read, absolute: a change of one of them changes the configuration. */
  readonly files: readonly string[];
}

/** The configuration cannot be used; the message lists everything that is wrong with it, one mistake a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** What the command line exits with: wrong usage. */
  readonly exitCode = 2;
  /** The file that holds the first mistake; `undefined` when that is in the environment. */
  readonly file: string | undefined;
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[], file: string | undefined) {
    super(mistakes.join('\n'));
    this.mistakes = mistakes;
    this.file = file;
  }
}

const LOCAL_FILE_NAMES = CONFIG_FILE_NAMES.map(name => name.replace('config', 'local'));

/** Keys that an environment variable can set; the others hold objects. */
const SCALARS: Readonly<Partial<Record<keyof ProjectConfig, 'string' | 'number'>>> = {
  defaultDatabase: 'string',
  dataDir: 'string',
  firstDate: 'string',
  lastDate: 'string',
  maxParallelTasks: 'number',
  defaultMaxRetries: 'number',
  retentionDays: 'number',
  shell: 'string',
  systemStatisticsInterval: 'number',
  pipelineFiles: 'string',
  store: 'string',
  killTimeout: 'number',
};

/** The environment variable for a key: `MILLRACE_DATA_DIR` for `dataDir`. */
export function environmentVariable(key: keyof ProjectConfig): string {
  if (key === 'store') return 'MILLRACE_STORE_URL';
  return `MILLRACE_${key.replaceAll(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`;
}

export interface ConfigOptions {
  /** The project's directory, absolute. */
  readonly directory: string;
  /** Gets what `.env` says, unless it says it already: the real environment wins. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Imports one of the files. */
  readonly importFile?: (file: string) => Promise<unknown>;
}

/**
 * Reads `.env`, then millrace.config.ts, millrace.local.ts and the environment, the later ones overriding. All of them
 * may be missing. The loader's hooks must be registered when the files are TypeScript.
 *
 * @throws ConfigError
 * @throws whatever a configuration file throws
 */
export async function loadConfig({
  directory,
  environment = process.env,
  importFile = file => import(pathToFileURL(file).href),
}: ConfigOptions): Promise<LoadedConfig> {
  readDotEnv(directory, environment);
  const files = [CONFIG_FILE_NAMES, LOCAL_FILE_NAMES].flatMap(names => existingFile(directory, names) ?? []);
  const layers: Layer[] = [];
  for (const file of files) layers.push(readLayer(file, await importFile(file)));
  const fromEnvironment = readEnvironment(environment);
  if (Object.keys(fromEnvironment).length > 0) {
    layers.push({ origin: 'environment', file: undefined, values: fromEnvironment });
  }
  if (layers.length > 0) await check(layers);
  const { values, origins } = merge(layers);
  checkDefaultDatabase(values, origins, files);
  return { config: withDefaults(values, directory), origins, files };
}

/** Values of one source, not checked yet. */
interface Layer {
  readonly origin: ConfigOrigin;
  readonly file: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
}

function readDotEnv(directory: string, environment: NodeJS.ProcessEnv): void {
  let text: string;
  try {
    text = readFileSync(join(directory, '.env'), 'utf8');
  } catch (error) {
    if (isAbsent(error)) return;
    throw error;
  }
  for (const [name, value] of Object.entries(parseEnv(text))) environment[name] ??= value;
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR');
}

function readLayer(file: string, exports: unknown): Layer {
  const origin = basename(file);
  const module = exports as { readonly default?: unknown };
  const values = module.default;
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    const remedy = 'It has to say: export default defineConfig({ … })';
    const what =
      'default' in module ? `exports ${describeValue(values)} by default` : 'has no default export';
    throw new ConfigError([`${origin} ${what}. ${remedy}`], file);
  }
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return { origin, file, values: Object.fromEntries(given) };
}

function readEnvironment(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [key, type] of Object.entries(SCALARS) as [keyof ProjectConfig, 'string' | 'number'][]) {
    const text = environment[environmentVariable(key)];
    // Empty counts as absent: in many places a variable can be emptied but not removed.
    if (text === undefined || text.trim() === '') continue;
    values[key] = type === 'number' && Number.isFinite(Number(text)) ? Number(text) : text;
  }
  return values;
}

async function check(layers: readonly Layer[]): Promise<void> {
  const { CONFIG_RULES, isValid } = await import('./config-schema.ts');
  const mistakes: string[] = [];
  let file: string | undefined;
  for (const layer of layers) {
    const before = mistakes.length;
    const unknown = Object.keys(layer.values).filter(key => !projectConfigKeys.has(key));
    if (unknown.length > 0) mistakes.push(describeUnknown(layer.origin, unknown));
    for (const [key, value] of Object.entries(layer.values)) {
      if (!isConfigKey(key) || isValid(key, value)) continue;
      const { expected, isSecret } = CONFIG_RULES[key];
      const place = layer.file === undefined ? environmentVariable(key) : `${layer.origin}: ${key}`;
      const actual = isSecret === true && typeof value === 'string' ? '' : `, not ${describeValue(value)}`;
      mistakes.push(`${place} must be ${expected}${actual}.`);
    }
    if (mistakes.length > before) file ??= layer.file;
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes, file);
}

function isConfigKey(key: string): key is keyof ProjectConfig {
  return projectConfigKeys.has(key);
}

function describeUnknown(origin: string, keys: readonly string[]): string {
  const nearest = keys.map(key => didYouMean(key, projectConfigKeys));
  const named = keys.map((key, index) => {
    const proposal = nearest[index];
    return proposal === undefined ? `"${key}"` : `"${key}" (did you mean "${proposal}"?)`;
  });
  const noun = keys.length === 1 ? 'an unknown key' : 'unknown keys';
  const known = nearest.includes(undefined) ? ` There are: ${[...projectConfigKeys].join(', ')}.` : '';
  return `${origin} has ${noun}: ${named.join(', ')}.${known}`;
}

interface Merged {
  readonly values: ProjectConfig;
  readonly origins: Record<string, ConfigOrigin>;
}

/** Later layers win; databases are overridden one by one. */
function merge(layers: readonly Layer[]): Merged {
  const origins: Record<string, ConfigOrigin> = {};
  for (const key of projectConfigKeys) origins[key] = 'default';
  const values: Record<string, unknown> = {};
  for (const { origin, values: given } of layers) {
    for (const [key, value] of Object.entries(given)) {
      const isMerged = key === 'databases';
      values[key] = isMerged ? { ...(values[key] as object | undefined), ...(value as object) } : value;
      origins[key] = origin;
      if (isMerged) for (const alias of Object.keys(value as object)) origins[`databases.${alias}`] = origin;
    }
  }
  return { values, origins };
}

function checkDefaultDatabase(
  { databases, defaultDatabase }: ProjectConfig,
  origins: Readonly<Record<string, ConfigOrigin>>,
  files: readonly string[],
): void {
  if (defaultDatabase === undefined) return;
  const aliases = Object.keys(databases ?? { [DEFAULT_DATABASE]: true });
  if (aliases.includes(defaultDatabase)) return;
  const origin = origins['defaultDatabase'] ?? '';
  const nearest = didYouMean(defaultDatabase, aliases);
  const hint = nearest === undefined ? `There are: ${aliases.join(', ')}.` : `Did you mean "${nearest}"?`;
  const place =
    origin === 'environment' ? environmentVariable('defaultDatabase') : `${origin}: defaultDatabase`;
  throw new ConfigError(
    [`${place} is "${defaultDatabase}", but "databases" has no database of that alias. ${hint}`],
    files.find(file => basename(file) === origin),
  );
}

const DEFAULT_DATABASE = 'dwh';

function withDefaults(values: ProjectConfig, directory: string): EffectiveConfig {
  const { pipelineFiles = DEFAULT_PIPELINE_FILES } = values;
  return {
    databases: values.databases ?? { [DEFAULT_DATABASE]: embeddedPostgres() },
    defaultDatabase: values.defaultDatabase ?? DEFAULT_DATABASE,
    dataDir: resolve(directory, values.dataDir ?? 'data'),
    firstDate: values.firstDate ?? '2000-01-01',
    lastDate: values.lastDate ?? '3000-01-01',
    maxParallelTasks: values.maxParallelTasks ?? availableParallelism(),
    defaultMaxRetries: values.defaultMaxRetries ?? 0,
    retentionDays: values.retentionDays ?? 30,
    shell: values.shell,
    eventHandlers: values.eventHandlers ?? [],
    passwordMasks: values.passwordMasks ?? [],
    systemStatisticsInterval: values.systemStatisticsInterval ?? 1,
    pipelineFiles: typeof pipelineFiles === 'string' ? [pipelineFiles] : pipelineFiles,
    root: values.root,
    store: values.store,
    killTimeout: values.killTimeout ?? 5,
  };
}
