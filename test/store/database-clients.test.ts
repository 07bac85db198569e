import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  bigquery,
  databaseTypeNames,
  type DatabaseDefinition,
  type DatabaseType,
  databricks,
  mysql,
  oracle,
  postgres,
  redshift,
  snowflake,
  sqlite,
  sqlserver,
} from '../../runner/api/databases.ts';
import { Copy, CopyIncrementally, ExecuteSQL } from '../../runner/commands/index.ts';
import { copySources, copyTargets } from '../../runner/databases/copy-pairs.ts';
import { type CommandRun, runWithDatabases } from '../support/databases.ts';
import { type TestServer, testServer } from '../support/postgres.ts';
import { type RecordedCall, type RecordingClients, recordingClients } from '../support/recording-clients.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';

const secret = 's3cr"et $pw';
const oracleSecret = 's3cr et $pw';
const succeeded = 'nothing was thrown';

/** Every type with every option that its client gets to see. */
const definitions: Readonly<Record<string, DatabaseDefinition>> = {
  psql: postgres({
    host: 'db',
    port: 6543,
    database: 'dwh',
    user: 'etl',
    password: secret,
    sslMode: 'verify-full',
    sslRootCert: '/ca.pem',
    schema: 'my "schema"',
    client: 'psql',
  }),
  psqlurl: postgres({
    url: `postgres://etl:${encodeURIComponent(secret)}@db:6543/dwh?sslmode=require&connect_timeout=3`,
    client: 'psql',
  }),
  redshift: redshift({
    host: 'r.example',
    database: 'dev',
    user: 'etl',
    password: secret,
    s3Bucket: 'loads',
    awsAccessKeyId: 'AK',
    awsSecretAccessKey: `aws ${secret}`,
    awsRegion: 'eu-west-1',
  }),
  mysql: mysql({
    host: 'shop',
    port: 3307,
    database: 'shop',
    user: 'etl',
    password: secret,
    ssl: true,
    charset: 'latin1',
  }),
  sqlite: sqlite({ file: 'a.db' }),
  sqlserver: sqlserver({
    host: 'erp',
    port: 1444,
    database: 'erp',
    user: 'etl',
    password: secret,
    protocol: 'tcp',
    trustServerCertificate: true,
  }),
  instance: sqlserver({
    host: 'erp',
    instance: 'X',
    database: 'erp',
    protocol: 'np',
    quotedIdentifier: false,
  }),
  oracle: oracle({ host: 'ora', port: 1522, service: 'ERP', user: 'etl', password: oracleSecret }),
  bigquery: bigquery({ project: 'acme', dataset: 'raw', location: 'EU', credentialsFile: '/key.json' }),
  bucket: bigquery({ project: 'acme', gcsBucket: 'loads', legacySql: true }),
  snowflake: snowflake({
    account: 'acme-eu',
    user: 'etl',
    password: secret,
    database: 'DB',
    schema: 'S',
    warehouse: 'W',
    role: 'R',
  }),
  key: snowflake({ connection: 'etl', privateKeyFile: '/key.p8', privateKeyPassphrase: secret }),
  databricks: databricks({ host: 'acme.databricks.com', httpPath: '/sql/1', accessToken: secret }),
};

const programs = [
  'psql',
  'aws',
  'mysql',
  'mariadb',
  'sqlite3',
  'sqlcmd',
  'sqlplus',
  'bq',
  'gcloud',
  'snow',
  'dbsqlcli',
];

describe('command line clients of databases', () => {
  let clients: RecordingClients;
  let folder: TemporaryFolder;
  let server: TestServer;
  before(async function () {
    this.timeout(60_000);
    [clients, folder, server] = await Promise.all([
      recordingClients(programs),
      temporaryFolder(),
      testServer(),
    ]);
    await folder.write({ 'a.db': '' });
    await server.query('create table target (id int, t text, b bytea)');
  });
  after(async () => {
    await clients[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    for (const program of programs) await clients.answer(program, {});
    await server.query('truncate target');
  });

  async function run(command: Copy | CopyIncrementally | ExecuteSQL): Promise<CommandRun> {
    return await runWithDatabases(
      command,
      { dwh: postgres({ url: server.url }), ...definitions },
      { basePath: folder.path },
    );
  }

  async function calls(): Promise<readonly RecordedCall[]> {
    const recorded = await clients.calls();
    for (const { args } of recorded)
      assert(!args.join(' ').includes('s3cr'), `a secret in ${args.join(' ')}`);
    return recorded.map(call => ({ ...call, args: call.args.map(arg => arg.replace(folder.path, '/data')) }));
  }

  describe('run a script', () => {
    const expected: Readonly<
      Record<string, readonly [string, readonly string[], Readonly<Record<string, string>>, string?]>
    > = {
      psql: [
        'psql',
        ['--no-psqlrc', '--no-password', '--set=ON_ERROR_STOP=on', '--echo-queries', '--file=-'],
        {
          PGAPPNAME: 'millrace',
          PGCLIENTENCODING: 'UTF8',
          PGOPTIONS: '-c client_min_messages=warning -c search_path="my\\ ""schema"""',
          PGDATABASE: 'dwh',
          PGHOST: 'db',
          PGPORT: '6543',
          PGUSER: 'etl',
          PGPASSWORD: secret,
          PGSSLMODE: 'verify-full',
          PGSSLROOTCERT: '/ca.pem',
        },
      ],
      psqlurl: [
        'psql',
        ['--no-psqlrc', '--no-password', '--set=ON_ERROR_STOP=on', '--echo-queries', '--file=-'],
        {
          PGAPPNAME: 'millrace',
          PGCLIENTENCODING: 'UTF8',
          PGOPTIONS: '-c client_min_messages=warning',
          PGDATABASE: 'dwh',
          PGHOST: 'db',
          PGPORT: '6543',
          PGUSER: 'etl',
          PGPASSWORD: secret,
          PGSSLMODE: 'require',
          PGCONNECT_TIMEOUT: '3',
        },
      ],
      redshift: [
        'psql',
        ['--no-psqlrc', '--no-password', '--set=ON_ERROR_STOP=on', '--echo-queries', '--file=-'],
        {
          PGAPPNAME: 'millrace',
          PGCLIENTENCODING: 'UTF8',
          PGDATABASE: 'dev',
          PGHOST: 'r.example',
          PGPORT: '5439',
          PGUSER: 'etl',
          PGPASSWORD: secret,
          PGSSLMODE: 'require',
        },
      ],
      mysql: [
        'mariadb',
        [
          '--host=shop',
          '--port=3307',
          '--user=etl',
          '--default-character-set=latin1',
          '--ssl',
          '--batch',
          '--table',
          '--comments',
          '-vv',
          'shop',
        ],
        { MYSQL_PWD: secret },
      ],
      sqlite: [
        'sqlite3',
        ['-batch', '-bail', '-init', '/dev/null', '-echo', '-header', '-column', '/data/a.db'],
        {},
      ],
      sqlserver: [
        'sqlcmd',
        [
          '-b',
          '-r1',
          '-x',
          '-S',
          'tcp:erp,1444',
          '-d',
          'erp',
          '-U',
          'etl',
          '-C',
          '-I',
          '-e',
          '-i',
          '/dev/stdin',
        ],
        { SQLCMDPASSWORD: secret },
        'select 1\nGO\n',
      ],
      instance: [
        'sqlcmd',
        [
          '-b',
          '-r1',
          '-x',
          '-S',
          'np:\\\\erp\\pipe\\MSSQL$X\\sql\\query',
          '-d',
          'erp',
          '-E',
          '-e',
          '-i',
          '/dev/stdin',
        ],
        {},
        'select 1\nGO\n',
      ],
      oracle: [
        'sqlplus',
        ['-S', '-L', '/nolog'],
        {
          NLS_LANG: 'AMERICAN_AMERICA.AL32UTF8',
          NLS_DATE_FORMAT: 'YYYY-MM-DD HH24:MI:SS',
          NLS_TIMESTAMP_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF9',
          NLS_TIMESTAMP_TZ_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM',
          NLS_NUMERIC_CHARACTERS: '.,',
        },
        `WHENEVER OSERROR EXIT FAILURE ROLLBACK
WHENEVER SQLERROR EXIT FAILURE ROLLBACK
SET DEFINE OFF
SET SQLBLANKLINES ON
SET LINESIZE 32767 TRIMOUT ON
CONNECT "etl"/"${oracleSecret}"@//ora:1522/ERP
SET PAGESIZE 50000 TAB OFF
select 1
;
EXIT SUCCESS COMMIT
`,
      ],
      bigquery: [
        'bq',
        [
          '--headless',
          '--quiet',
          '--project_id=acme',
          '--dataset_id=raw',
          '--location=EU',
          '--format=pretty',
          'query',
          '--use_legacy_sql=false',
          '--max_rows=1000',
        ],
        { CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: '/key.json' },
      ],
      bucket: [
        'bq',
        [
          '--headless',
          '--quiet',
          '--project_id=acme',
          '--format=pretty',
          'query',
          '--use_legacy_sql=true',
          '--max_rows=1000',
        ],
        {},
      ],
      snowflake: [
        'snow',
        [
          'sql',
          '--stdin',
          '--format',
          'TABLE',
          '--enable-templating',
          'NONE',
          '--temporary-connection',
          '--account',
          'acme-eu',
          '--user',
          'etl',
          '--database',
          'DB',
          '--schema',
          'S',
          '--warehouse',
          'W',
          '--role',
          'R',
        ],
        { SNOWFLAKE_PASSWORD: secret },
      ],
      key: [
        'snow',
        [
          'sql',
          '--stdin',
          '--format',
          'TABLE',
          '--enable-templating',
          'NONE',
          '--connection',
          'etl',
          '--authenticator',
          'SNOWFLAKE_JWT',
          '--private-key-file',
          '/key.p8',
        ],
        { PRIVATE_KEY_PASSPHRASE: secret },
      ],
      databricks: [
        'dbsqlcli',
        ['--table-format', 'psql', '-e', '/dev/stdin'],
        {
          DBSQLCLI_HOST_NAME: 'acme.databricks.com',
          DBSQLCLI_HTTP_PATH: '/sql/1',
          DBSQLCLI_ACCESS_TOKEN: secret,
        },
      ],
    };
    for (const [db, [program, args, env, stdin = 'select 1']] of Object.entries(expected)) {
      it(`${db}: the exact command line, environment and input`, async () => {
        await clients.answer(program, { stdout: 'the result\nwithout an end' });
        const { failure, context } = await run(new ExecuteSQL({ db, sql: 'select 1' }));
        assert.equal(failure, succeeded);
        assert.deepEqual(await calls(), [{ program, args, env, stdin }]);
        assert.deepEqual(context.lines.slice(-2), ['the result', 'without an end']);
        // A client that cannot show statements has them shown before.
        assert.equal(
          context.lines.length,
          ['oracle', 'bigquery', 'bucket', 'snowflake', 'key', 'databricks'].includes(db) ? 3 : 2,
        );
      });
    }

    it('a time zone', async () => {
      const zones: Readonly<Record<string, readonly [string, string]>> = {
        psql: ['PGTZ', 'Europe/Berlin'],
        oracle: ['ORA_SDTZ', 'Europe/Berlin'],
      };
      for (const [db, [variable, value]] of Object.entries(zones)) {
        await run(new ExecuteSQL({ db, sql: 'select 1', timezone: 'Europe/Berlin' }));
        assert.equal((await calls())[0]?.env[variable], value);
      }
      await run(new ExecuteSQL({ db: 'mysql', sql: 'select 1', timezone: "Europe/Ber'lin" }));
      assert((await calls())[0]?.args.includes(`--init-command=SET time_zone = 'Europe/Ber''lin'`));
    });

    it('blocks of PL/SQL and scripts that are ended already', async () => {
      for (const [sql, end] of [
        ['begin null; end;', 'begin null; end;\n/\nEXIT'],
        ['begin null; end;\n/\n', 'begin null; end;\n/\nEXIT'],
        ['select 1 from dual;', 'select 1 from dual;\nEXIT'],
      ] as const) {
        await run(new ExecuteSQL({ db: 'oracle', sql }));
        const [call] = await calls();
        assert(call?.stdin.includes(`TAB OFF\n${end}`), call?.stdin);
      }
    });
  });

  describe('fail', () => {
    const failing: Readonly<
      Record<string, readonly [string, { readonly stdout?: string; readonly stderr?: string }, string]>
    > = {
      sqlserver: [
        'sqlcmd',
        { stderr: `Msg 208, Level 16: Invalid object name 'x'. ${secret}\n` },
        "sqlserver: Msg 208, Level 16: Invalid object name 'x'. ***\nsqlcmd: exit code 7",
      ],
      oracle: [
        'sqlplus',
        { stdout: 'ORA-00942: table or view does not exist\n' },
        'oracle: ORA-00942: table or view does not exist\nsqlplus: exit code 7',
      ],
      bigquery: [
        'bq',
        { stdout: 'Error in query string: Not found: Table acme:raw.x' },
        'bigquery: Error in query string: Not found: Table acme:raw.x\nbq: exit code 7',
      ],
      snowflake: [
        'snow',
        { stderr: 'Object does not exist' },
        'snowflake: Object does not exist\nsnow: exit code 7',
      ],
      databricks: ['dbsqlcli', {}, 'databricks: dbsqlcli: exit code 7'],
      mysql: [
        'mariadb',
        { stderr: '--------------\nselect x\n--------------\n\nERROR 1054 (42S22) at line 1: nope\n' },
        'mysql: ERROR 1054 (42S22) at line 1: nope\nmariadb: exit code 7',
      ],
    };
    for (const [db, [program, answer, message]] of Object.entries(failing)) {
      it(`${db}: with what the client says`, async () => {
        await clients.answer(program, { ...answer, exitCode: 7 });
        assert.equal((await run(new ExecuteSQL({ db, sql: 'select x' }))).failure, message);
        if (db !== 'databricks') {
          assert.equal(
            (await run(new Copy({ from: db, table: 'target', sql: 'select x' }))).failure,
            message,
          );
          assert.deepEqual(await server.query('select * from target'), []);
        }
        await calls();
      });
    }

    const missing: Readonly<Record<string, string>> = {
      psql: 'Database "psql" needs the program "psql", which was not found. Install it: Debian and Ubuntu: apt-get install postgresql-client; Fedora: dnf install postgresql; macOS: brew install libpq.',
      redshift:
        'Database "redshift" needs the program "psql", which was not found. Install it: Debian and Ubuntu: apt-get install postgresql-client; Fedora: dnf install postgresql; macOS: brew install libpq.',
      mysql:
        'Database "mysql" needs the program "mariadb" or "mysql", which was not found. Install it: Debian and Ubuntu: apt-get install mariadb-client; Fedora: dnf install mariadb; macOS: brew install mariadb.',
      sqlite:
        'Database "sqlite" needs the program "sqlite3", which was not found. Install it: Debian and Ubuntu: apt-get install sqlite3; Fedora: dnf install sqlite; macOS has it.',
      sqlserver:
        'Database "sqlserver" needs the program "sqlcmd", which was not found. Install the package mssql-tools18 or go-sqlcmd (https://learn.microsoft.com/sql/tools/sqlcmd/sqlcmd-utility).',
      oracle:
        'Database "oracle" needs the program "sqlplus" or "sqlplus64", which was not found. Install the Instant Client with SQL*Plus (https://www.oracle.com/database/technologies/instant-client.html).',
      bigquery:
        'Database "bigquery" needs the program "bq", which was not found. Install the Google Cloud CLI (https://cloud.google.com/sdk/docs/install).',
      snowflake:
        'Database "snowflake" needs the program "snow", which was not found. Install the Snowflake CLI: pipx install snowflake-cli; macOS: brew install snowflake-cli.',
      databricks:
        'Database "databricks" needs the program "dbsqlcli", which was not found. Install the Databricks SQL CLI: pipx install databricks-sql-cli.',
    };
    for (const [db, message] of Object.entries(missing)) {
      it(`${db}: when the client is not installed, with how to install it`, async () => {
        const path = process.env['PATH'];
        process.env['PATH'] = '/nowhere';
        try {
          assert.equal((await run(new ExecuteSQL({ db, sql: 'select 1' }))).failure, message);
        } finally {
          process.env['PATH'] = path;
        }
      });
    }
  });

  describe('copy rows to Postgres', () => {
    const json = (rows: readonly object[]): string => JSON.stringify(rows);
    const rows = [
      { id: 1, t: 'a\tb\n"ü"\\', b: Buffer.from([0, 255]).toString('base64') },
      { id: 2, t: null, b: null },
      { id: 3, t: '', b: '' },
    ];
    const sources: Readonly<Record<string, readonly [string, string, readonly string[], string]>> = {
      sqlserver: [
        'sqlcmd',
        `\n${rows.map(row => JSON.stringify(row)).join('\n')}\n`,
        [
          '-b',
          '-r1',
          '-x',
          '-S',
          'tcp:erp,1444',
          '-d',
          'erp',
          '-U',
          'etl',
          '-C',
          '-I',
          '-y',
          '0',
          '-i',
          '/dev/stdin',
        ],
        'SET NOCOUNT ON;\nGO\nSELECT (SELECT q.* FOR JSON PATH, INCLUDE_NULL_VALUES, WITHOUT_ARRAY_WRAPPER) FROM (\nselect 1\n) AS q\nGO\n',
      ],
      bigquery: [
        'bq',
        json(rows),
        [
          '--headless',
          '--quiet',
          '--project_id=acme',
          '--dataset_id=raw',
          '--location=EU',
          '--format=json',
          'query',
          '--use_legacy_sql=false',
          '--max_rows=2147483647',
        ],
        'select 1',
      ],
      snowflake: [
        'snow',
        JSON.stringify(
          rows.map(row => ({
            ...row,
            b: row.b === null ? null : Buffer.from(row.b, 'base64').toString('hex'),
          })),
          null,
          2,
        ),
        [
          'sql',
          '--stdin',
          '--format',
          'JSON',
          '--enable-templating',
          'NONE',
          '--temporary-connection',
          '--account',
          'acme-eu',
          '--user',
          'etl',
          '--database',
          'DB',
          '--schema',
          'S',
          '--warehouse',
          'W',
          '--role',
          'R',
        ],
        'select 1;\n',
      ],
      redshift: [
        'psql',
        'id,t,b\n1,"a\tb\n""ü""\\",00ff\n2,\\N:millrace-null:\\N,\\N:millrace-null:\\N\n3,,\n',
        [
          '--no-psqlrc',
          '--no-password',
          '--set=ON_ERROR_STOP=on',
          '--quiet',
          '--csv',
          '--pset=null=\\N:millrace-null:\\N',
          '--set=FETCH_COUNT=10000',
          '--file=-',
        ],
        'select 1\n;\n',
      ],
    };
    for (const [from, [program, stdout, args, stdin]] of Object.entries(sources)) {
      it(`${databaseTypeNames[from as DatabaseType]}: NULL, empty texts, control characters and bytes`, async () => {
        await clients.answer(program, { stdout });
        const { failure, context } = await run(new Copy({ from, table: 'target', sql: ' select 1 ;\n' }));
        assert.equal(failure, succeeded);
        assert.equal(context.rows, 3);
        const [call] = await calls();
        assert.deepEqual([call?.args, call?.stdin], [args, stdin]);
        assert.deepEqual(await server.query(`select id, t, encode(b, 'hex') as b from target order by id`), [
          { id: 1, t: 'a\tb\n"ü"\\', b: '00ff' },
          { id: 2, t: null, b: null },
          { id: 3, t: '', b: '' },
        ]);
      });
    }

    it('Oracle: an empty text is NULL', async () => {
      await clients.answer('sqlplus', { stdout: '\n"ID","T","B"\n1,"a\n""b""","00FF"\n2,,\n' });
      assert.equal(
        (await run(new Copy({ from: 'oracle', table: 'target', sql: 'select 1 from dual;' }))).failure,
        succeeded,
      );
      assert.deepEqual(await server.query(`select id, t, encode(b, 'hex') as b from target order by id`), [
        { id: 1, t: 'a\n"b"', b: '00ff' },
        { id: 2, t: null, b: null },
      ]);
      const call = (await calls())[0] ?? assert.fail();
      assert(call.stdin.includes('SET MARKUP CSV ON QUOTE ON\n'));
      assert(call.stdin.endsWith('select 1 from dual\n/\nEXIT SUCCESS COMMIT\n'));
    });

    it('numbers that JavaScript would round', async () => {
      await server.query('create table exact (n numeric)');
      await clients.answer('sqlcmd', { stdout: '{"n":12345678901234567890.0123456789}\n{"n":1.50}\n' });
      assert.equal(
        (await run(new Copy({ from: 'sqlserver', table: 'exact', sql: 'select 1' }))).failure,
        succeeded,
      );
      assert.deepEqual(await server.query('select n::text from exact'), [
        { n: '12345678901234567890.0123456789' },
        { n: '1.50' },
      ]);
      await calls();
    });

    it('an answer that breaks off keeps no row', async () => {
      await clients.answer('bq', { stdout: '[{"id":"1","t":"a","b":null},{"id":"2"' });
      assert.equal(
        (await run(new Copy({ from: 'bigquery', table: 'target', sql: 'select 1' }))).failure,
        'what the client printed ends in the middle',
      );
      assert.deepEqual(await server.query('select * from target'), []);
      await calls();
    });
  });

  describe('copy rows from Postgres', () => {
    const sql = `select * from (values (1, 'a,"b"' || chr(10)), (2, null), (3, ''), (4, '\\N'), (5, ' x')) v`;
    const csv = '1,"a,""b""\n"\n2,\\N\n3,""\n4,"\\N"\n5," x"\n';

    it('to BigQuery by a file', async () => {
      const { failure, context } = await run(new Copy({ from: 'dwh', to: 'bigquery', table: 'raw.t', sql }));
      assert.equal(failure, succeeded);
      assert.equal(context.rows, 5);
      const [load, ...others] = await calls();
      assert.equal(others.length, 0);
      assert.deepEqual(load?.args.slice(0, -1), [
        '--headless',
        '--quiet',
        '--project_id=acme',
        '--dataset_id=raw',
        '--location=EU',
        'load',
        '--source_format=CSV',
        '--null_marker=\\N',
        '--allow_quoted_newlines',
        '--encoding=UTF-8',
        'raw.t',
      ]);
      const file = load.args.at(-1) ?? '';
      assert.match(file, /rows\.csv$/);
      await assert.rejects(readFile(file), { code: 'ENOENT' });
    });

    it('to BigQuery by a bucket', async () => {
      assert.equal(
        (await run(new Copy({ from: 'dwh', to: 'bucket', table: 'raw.t', sql }))).failure,
        succeeded,
      );
      const [copy, load, remove] = await calls();
      const file = copy?.args.at(-1) ?? '';
      assert.match(file, /^gs:\/\/loads\/millrace-.*\.csv$/);
      assert.deepEqual(copy, {
        program: 'gcloud',
        args: ['--quiet', '--project=acme', 'storage', 'cp', '-', file],
        env: {},
        stdin: csv,
      });
      assert.deepEqual(load?.args.slice(-2), ['raw.t', file]);
      assert.deepEqual(remove?.args, ['--quiet', '--project=acme', 'storage', 'rm', file]);
    });

    it('to Redshift by S3; the file is removed when the load fails, too', async () => {
      for (const exitCode of [0, 3]) {
        await clients.answer('psql', { exitCode, stderr: exitCode === 0 ? '' : 'ERROR: Load failed' });
        const { failure } = await run(new Copy({ from: 'dwh', to: 'redshift', table: 'raw.t', sql }));
        assert.equal(failure, exitCode === 0 ? succeeded : 'redshift: ERROR: Load failed\npsql: exit code 3');
        const [copy, load, remove] = await calls();
        const file = copy?.args[3] ?? '';
        assert.match(file, /^s3:\/\/loads\/millrace-.*\.csv$/);
        assert.deepEqual(copy, {
          program: 'aws',
          args: ['s3', 'cp', '-', file, '--only-show-errors'],
          env: { AWS_ACCESS_KEY_ID: 'AK', AWS_SECRET_ACCESS_KEY: `aws ${secret}`, AWS_REGION: 'eu-west-1' },
          stdin: csv,
        });
        assert.equal(
          load?.stdin,
          `COPY raw.t FROM '${file}' ACCESS_KEY_ID 'AK' SECRET_ACCESS_KEY 'aws ${secret}' REGION 'eu-west-1' FORMAT CSV NULL AS '\\\\N';\n`,
        );
        assert.deepEqual(remove?.args, ['s3', 'rm', file, '--only-show-errors']);
      }
    });

    it('to Redshift without a bucket', async () => {
      const { failure } = await runWithDatabases(
        new Copy({ from: 'dwh', to: 'redshift', table: 't', sql }),
        { dwh: postgres({ url: server.url }), redshift: redshift({ host: 'r', database: 'd', user: 'u' }) },
        { basePath: folder.path },
      );
      assert.equal(
        failure,
        'Database "redshift": Redshift loads rows from S3 only. Give redshift() an s3Bucket.',
      );
      await calls();
    });
  });

  it('pairs that cannot be copied between fail with both types', async () => {
    const byType = [
      'psql',
      'redshift',
      'mysql',
      'sqlite',
      'sqlserver',
      'oracle',
      'bigquery',
      'snowflake',
      'databricks',
    ];
    for (const from of byType) {
      for (const to of byType) {
        const [source, target] = [from, to].map(alias => definitions[alias]?.type ?? 'postgresql') as [
          DatabaseType,
          DatabaseType,
        ];
        if (copySources.includes(source) && copyTargets.includes(target)) continue;
        const { failure } = await run(new Copy({ from, to, table: 't', sql: 'select 1' }));
        assert(
          failure.startsWith(
            `Copy cannot copy from ${databaseTypeNames[source]} (database "${from}") to ${databaseTypeNames[target]} (database "${to}"). `,
          ),
          failure,
        );
      }
    }
    assert.deepEqual(await calls(), []);
  });

  it('literals of each database in a condition of CopyIncrementally', async () => {
    const conditions: Readonly<Record<string, readonly [string, string, string]>> = {
      sqlserver: ['sqlcmd', '{"newest":"2024-01-01"}\n', `(m >= CAST(N'2023''' AS date))`],
      bigquery: ['bq', '[{"newest":"2024-01-01"}]', `(m >= CAST('2023\\'' AS date))`],
      snowflake: ['snow', '[{"newest":"2024-01-01"}]', `(m >= '2023'''::date)`],
      oracle: ['sqlplus', '"NEWEST"\n"2024-01-01"\n', `(m >= date '2023''')`],
    };
    await server.query(`insert into target values (1, 'a', null)`);
    for (const [from, [program, stdout, condition]] of Object.entries(conditions)) {
      await clients.answer(program, { stdout });
      const { context } = await runWithDatabases(
        new CopyIncrementally({
          from,
          sourceTable: 's',
          modificationComparison: 'm',
          modificationComparisonType: 'date',
          comparisonValuePlaceholder: '@c@',
          sql: 'select * from s where @c@',
          table: 'target',
          primaryKeys: ['id'],
        }),
        { dwh: postgres({ url: server.url }), ...definitions },
        { basePath: folder.path, stored: new Map([[`${from}.s`, `2023'`]]) },
      );
      assert(context.lines.includes(`> select * from s where ${condition}`), context.lines.join('\n'));
      await calls();
    }
  });

  it('docs/databases.md has the pairs that the code has', async () => {
    const text = await readFile(new URL('../../docs/databases.md', import.meta.url), 'utf8');
    const names = (types: readonly DatabaseType[]): readonly string[] =>
      types.map(type => databaseTypeNames[type]);
    const all = Object.keys(databaseTypeNames) as DatabaseType[];
    const header = ['from \\ to', ...names(all)];
    const table = [
      header,
      header.map(() => '---'),
      ...all.map(from => [
        databaseTypeNames[from],
        ...all.map(to => (copySources.includes(from) && copyTargets.includes(to) ? 'yes' : '–')),
      ]),
    ];
    const cells = text
      .split('\n')
      .filter(line => line.startsWith('|'))
      .map(line =>
        line
          .split('|')
          .slice(1, -1)
          .map(cell => cell.trim().replace(/^-+$/, '---')),
      );
    const start = cells.findIndex(row => row[0] === header[0]);
    assert.deepEqual(cells.slice(start, start + table.length), table);
  });
});
