import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import type { ProjectConfig } from '../../runner/api/config.ts';
import { postgres } from '../../runner/api/databases.ts';
import { Pipeline } from '../../runner/api/pipeline.ts';
import {
  ConfigError,
  environmentVariable,
  loadConfig,
  type LoadedConfig,
} from '../../runner/loader/config.ts';
import { temporaryFolder } from '../support/temp.ts';

interface Sources {
  readonly config?: unknown;
  readonly local?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly dotEnv?: string;
}

/** Loads a configuration whose files export what is given. */
async function load({
  config,
  local,
  env = {},
  dotEnv,
}: Sources): Promise<LoadedConfig & { directory: string }> {
  const modules = new Map<string, unknown>();
  if (config !== undefined) modules.set('millrace.config.ts', config);
  if (local !== undefined) modules.set('millrace.local.ts', local);
  const files = Object.fromEntries([...modules.keys()].map(name => [name, '']));
  await using folder = await temporaryFolder({
    ...files,
    ...(dotEnv === undefined ? {} : { '.env': dotEnv }),
  });
  const loaded = await loadConfig({
    directory: folder.path,
    environment: { ...env },
    importFile: file => Promise.resolve(modules.get(basename(file))),
  });
  return { ...loaded, directory: folder.path };
}

async function mistakesOf(sources: Sources): Promise<string> {
  try {
    await load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no mistake';
}

const exported = (config: ProjectConfig): { default: ProjectConfig } => ({ default: config });

describe('loadConfig', () => {
  it('has a default for everything', async () => {
    const { config, origins, files, directory } = await load({});
    const { databases, ...rest } = config;
    assert.deepEqual(Object.keys(databases), ['dwh']);
    assert.equal(databases['dwh']?.describe(), 'the embedded Postgres');
    assert.deepEqual(rest, {
      defaultDatabase: 'dwh',
      dataDir: join(directory, 'data'),
      firstDate: '2000-01-01',
      lastDate: '3000-01-01',
      maxParallelTasks: availableParallelism(),
      defaultMaxRetries: 0,
      retentionDays: 30,
      shell: undefined,
      eventHandlers: [],
      passwordMasks: [],
      systemStatisticsInterval: 1,
      pipelineFiles: ['**/*.pipeline.{ts,mts,js,mjs}'],
      root: undefined,
      store: undefined,
      killTimeout: 5,
    });
    assert.deepEqual([...new Set(Object.values(origins))], ['default']);
    assert.deepEqual(files, []);
  });

  it('lets millrace.local.ts override millrace.config.ts, and the environment both', async () => {
    const { config, origins } = await load({
      config: exported({ maxParallelTasks: 1, dataDir: 'input', retentionDays: 7, pipelineFiles: 'a/*.ts' }),
      local: exported({ maxParallelTasks: 2, dataDir: '/data', shell: undefined }),
      env: { MILLRACE_MAX_PARALLEL_TASKS: '3', MILLRACE_STORE_URL: 'postgres://store/x', MILLRACE_SHELL: '' },
    });
    assert.equal(config.maxParallelTasks, 3);
    assert.equal(config.dataDir, '/data');
    assert.equal(config.retentionDays, 7);
    assert.deepEqual(config.pipelineFiles, ['a/*.ts']);
    assert.equal(config.store, 'postgres://store/x');
    assert.equal(config.shell, undefined);
    const { maxParallelTasks, dataDir, retentionDays, store, shell, killTimeout } = origins;
    assert.deepEqual(
      { maxParallelTasks, dataDir, retentionDays, store, shell, killTimeout },
      {
        maxParallelTasks: 'environment',
        dataDir: 'millrace.local.ts',
        retentionDays: 'millrace.config.ts',
        store: 'environment',
        shell: 'default',
        killTimeout: 'default',
      },
    );
  });

  it('overrides databases one by one', async () => {
    const { config, origins } = await load({
      config: exported({
        databases: {
          dwh: postgres({ url: 'postgres://a/dwh' }),
          shop: postgres({ url: 'postgres://a/shop' }),
        },
        defaultDatabase: 'shop',
      }),
      local: exported({ databases: { shop: postgres({ url: 'postgres://b/shop' }) } }),
    });
    assert.deepEqual(
      Object.entries(config.databases).map(([alias, database]) => `${alias}: ${database.describe()}`),
      ['dwh: postgres://a/dwh', 'shop: postgres://b/shop'],
    );
    assert.equal(origins['databases.dwh'], 'millrace.config.ts');
    assert.equal(origins['databases.shop'], 'millrace.local.ts');
  });

  it('refuses pipeline files outside the project, and takes dots that lead nowhere else', async () => {
    const outside = ['../x.ts', '/x.ts', 'C:\\x.ts', 'a/../../x.ts', 'a/..', '{a,../b}/*.ts', '..\\x.ts'];
    for (const pattern of outside) {
      const message = await mistakesOf({ config: exported({ pipelineFiles: pattern }) });
      assert.match(
        message,
        /must be a glob pattern or an array of them, relative to the project and within it/,
        pattern,
      );
    }
    const { config } = await load({
      config: exported({ pipelineFiles: ['a..b/*.ts', './c.ts', '...d.ts'] }),
    });
    assert.deepEqual(config.pipelineFiles, ['a..b/*.ts', './c.ts', '...d.ts']);
  });

  it('reads every key from the environment that a text can give', () => {
    const keys = ['maxParallelTasks', 'dataDir', 'firstDate', 'store', 'systemStatisticsInterval'] as const;
    assert.deepEqual(keys.map(environmentVariable), [
      'MILLRACE_MAX_PARALLEL_TASKS',
      'MILLRACE_DATA_DIR',
      'MILLRACE_FIRST_DATE',
      'MILLRACE_STORE_URL',
      'MILLRACE_SYSTEM_STATISTICS_INTERVAL',
    ]);
  });

  it('reads .env first, without overriding the environment', async () => {
    await using folder = await temporaryFolder({
      '.env': 'MILLRACE_DATA_DIR="from file"\nMILLRACE_RETENTION_DAYS=3\n# comment\nOTHER=1',
    });
    const environment: NodeJS.ProcessEnv = { MILLRACE_DATA_DIR: 'real' };
    const { config } = await loadConfig({ directory: folder.path, environment });
    assert.equal(config.dataDir, join(folder.path, 'real'));
    assert.equal(config.retentionDays, 3);
    assert.deepEqual(environment, { MILLRACE_DATA_DIR: 'real', MILLRACE_RETENTION_DAYS: '3', OTHER: '1' });
  });

  it('takes a root pipeline and event handlers', async () => {
    const root = new Pipeline({ id: 'all' });
    const handler = (): void => undefined;
    const { config } = await load({ config: exported({ root, eventHandlers: [handler] }) });
    assert.equal(config.root, root);
    assert.deepEqual(config.eventHandlers, [handler]);
  });

  it('lists all unknown keys at once', async () => {
    assert.equal(
      await mistakesOf({ config: { default: { maxParalelTasks: 1, datadir: 'x' } } }),
      'millrace.config.ts has unknown keys: "maxParalelTasks" (did you mean "maxParallelTasks"?), ' +
        '"datadir" (did you mean "dataDir"?).',
    );
    assert.equal(
      await mistakesOf({ local: { default: { somethingElse: 1 } } }),
      'millrace.local.ts has an unknown key: "somethingElse". There are: databases, defaultDatabase, dataDir, ' +
        'firstDate, lastDate, maxParallelTasks, defaultMaxRetries, retentionDays, shell, eventHandlers, ' +
        'passwordMasks, systemStatisticsInterval, pipelineFiles, root, store, killTimeout.',
    );
  });

  it('names the key, the value and what is expected', async () => {
    assert.equal(
      await mistakesOf({
        config: {
          default: {
            databases: { dwh: 'postgres://user:secret@host/db' },
            defaultDatabase: '',
            dataDir: 5,
            firstDate: '2000-13-01',
            lastDate: new Date(0),
            maxParallelTasks: 0,
            defaultMaxRetries: -1,
            retentionDays: 1.5,
            shell: false,
            eventHandlers: ['x'],
            passwordMasks: 'secret',
            systemStatisticsInterval: Infinity,
            pipelineFiles: [],
            root: {},
            store: 'mysql://user:secret@host/db',
            killTimeout: '5',
          },
        },
      }),
      [
        'millrace.config.ts: databases must be an object with databases by alias, like { dwh: postgres({ url }) }, ' +
          'not an object (Object).',
        'millrace.config.ts: defaultDatabase must be the alias of a database, not "".',
        'millrace.config.ts: dataDir must be the path of a directory, not 5.',
        'millrace.config.ts: firstDate must be a day like "2000-01-31", not "2000-13-01".',
        'millrace.config.ts: lastDate must be a day like "2000-01-31", not an object (Date).',
        'millrace.config.ts: maxParallelTasks must be a whole number of at least 1, not 0.',
        'millrace.config.ts: defaultMaxRetries must be a whole number of at least 0, not -1.',
        'millrace.config.ts: retentionDays must be a whole number of at least 1, not 1.5.',
        'millrace.config.ts: shell must be a shell with its options, like "/usr/bin/env bash -o pipefail", not false.',
        'millrace.config.ts: eventHandlers must be an array of functions, not an array.',
        'millrace.config.ts: passwordMasks must be an array of non-empty strings.',
        'millrace.config.ts: systemStatisticsInterval must be a number of seconds from 0 to 2147483, not Infinity.',
        'millrace.config.ts: pipelineFiles must be a glob pattern or an array of them, relative to the project and within it, not an array.',
        'millrace.config.ts: root must be a Pipeline, not an object (Object).',
        'millrace.config.ts: store must be a URL like "postgres://user@host:5432/database".',
        'millrace.config.ts: killTimeout must be a number of seconds from 0 to 2147483, not "5".',
      ].join('\n'),
    );
    assert.equal(
      await mistakesOf({ env: { MILLRACE_MAX_PARALLEL_TASKS: 'many', MILLRACE_LAST_DATE: 'today' } }),
      'MILLRACE_LAST_DATE must be a day like "2000-01-31", not "today".\n' +
        'MILLRACE_MAX_PARALLEL_TASKS must be a whole number of at least 1, not "many".',
    );
  });

  it('wants a default export', async () => {
    assert.equal(
      await mistakesOf({ config: { config: {} } }),
      'millrace.config.ts has no default export. It has to say: export default defineConfig({ … })',
    );
    assert.equal(
      await mistakesOf({ local: { default: () => ({}) } }),
      'millrace.local.ts exports a function by default. It has to say: export default defineConfig({ … })',
    );
  });

  it('wants the default database to be there', async () => {
    const databases = { warehouse: postgres({ url: 'postgres://a/b' }) };
    assert.equal(
      await mistakesOf({ config: exported({ databases, defaultDatabase: 'warehose' }) }),
      'millrace.config.ts: defaultDatabase is "warehose", but "databases" has no database of that alias. ' +
        'Did you mean "warehouse"?',
    );
    assert.equal(
      await mistakesOf({ config: exported({ databases }), env: { MILLRACE_DEFAULT_DATABASE: 'x' } }),
      'MILLRACE_DEFAULT_DATABASE is "x", but "databases" has no database of that alias. There are: warehouse.',
    );
  });
});
