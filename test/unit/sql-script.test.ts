import assert from 'node:assert/strict';
import fc from 'fast-check';
import { splitSql, SqlScriptError } from '../../runner/databases/sql-script.ts';

const texts = (script: string): string[] => splitSql(script).statements.map(statement => statement.text);

function problem(script: string): string {
  try {
    splitSql(script);
  } catch (error) {
    if (error instanceof SqlScriptError)
      return `${String(error.line)}:${String(error.column)}: ${error.message}`;
    throw error;
  }
  return 'no problem';
}

describe('splitting a SQL script', () => {
  it('splits at semicolons', () => {
    assert.deepEqual(texts('select 1; select 2;\n\nselect 3'), ['select 1', 'select 2', 'select 3']);
  });

  it('makes nothing of an empty script, blanks, comments and empty statements', () => {
    for (const script of ['', ' \n\t', '-- nothing', '/* nothing */ ;; ;', '\uFEFF'])
      assert.deepEqual(texts(script), []);
    assert.deepEqual(texts(';;select 1;;;select 2;;'), ['select 1', 'select 2']);
  });

  it('says where a statement stands, without the comments before it', () => {
    const script = '-- head; of the file\n\n  select 1;\n/* two\n; lines */ select\n2\n;';
    const found = splitSql(script).statements.map(({ text, line, column, offset }) => ({
      text,
      line,
      column,
      offset,
    }));
    assert.deepEqual(found, [
      { text: 'select 1', line: 3, column: 3, offset: script.indexOf('select 1') },
      { text: 'select\n2', line: 5, column: 12, offset: script.indexOf('select\n2') },
    ]);
  });

  const whole: Readonly<Record<string, string>> = {
    strings: "select ';', 'it''s; fine'",
    'a backslash in a plain string': "select '\\', ';'",
    'escape strings': "select e'\\';', E'\\\\', 'a;b'",
    'an escape string that goes on after a line break': "select e'a'\n  '\\';'",
    'names that end in e': "select table_e';'",
    'quoted names': 'select 1 as "a;""b;"',
    'Unicode strings and names': `select U&'\\0061;', u&"d;ata"`,
    'dollar quotes': 'select $$a;b$$',
    'dollar quotes with tags': 'select $a$ ; $b$ ; $$ ; $b$ $a$',
    'dollar signs in names and parameters': 'select a$b$c, $1, x$1$y',
    'nested comments': 'select /* ; /* ; */ ; */ 1',
    'line comments': 'select 1 -- ; \n + 2',
    'an apostrophe in a comment': "select 1 -- it's\n, /* don't */ 2",
    parentheses: 'create rule r as on insert to t do (select 1; select 2)',
    'a SQL body': 'create function f() returns int begin atomic select 1; select 2; end',
    'case in a SQL body':
      'create or replace function f() returns int begin atomic select case when true then (case when 1=1 then 1 end) end; select 2 as end; select t.end from t; end',
    'a procedure': 'CREATE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC SELECT 1; END',
    'a DO block': 'do $body$ begin perform 1; end; $body$',
    'operators that look like comments': 'select 1 - - 1, 2 * / 3',
  };
  for (const [what, statement] of Object.entries(whole)) {
    it(`keeps ${what} whole`, () => {
      assert.deepEqual(texts(`${statement}; select 99`), [statement, 'select 99']);
    });
  }

  it('takes begin and end of a transaction for statements', () => {
    assert.deepEqual(texts('begin; select 1; end; begin; commit'), [
      'begin',
      'select 1',
      'end',
      'begin',
      'commit',
    ]);
  });

  it('takes the lines after COPY … FROM STDIN as its data', () => {
    const script =
      "copy t from stdin;\n1\ta;b\n2\tit's\n\\.\nselect 1;\nCOPY u (a) FROM STDIN WITH (FORMAT csv); -- data\n3\n";
    const { statements } = splitSql(script);
    assert.deepEqual(
      statements.map(({ text, data, copy, line }) => ({ text, data, copy, line })),
      [
        { text: 'copy t from stdin', data: "1\ta;b\n2\tit's\n", copy: 'in', line: 1 },
        { text: 'select 1', data: null, copy: null, line: 5 },
        { text: 'COPY u (a) FROM STDIN WITH (FORMAT csv)', data: '3\n', copy: 'in', line: 6 },
      ],
    );
  });

  it('ends the data at a line of its own only, with either kind of line end', () => {
    const { statements } = splitSql('copy t from stdin;\r\na\\.\r\n\\.\r\nselect 1;');
    assert.deepEqual(
      statements.map(({ text, data }) => ({ text, data })),
      [
        { text: 'copy t from stdin', data: 'a\\.\r\n' },
        { text: 'select 1', data: null },
      ],
    );
  });

  it('knows COPY from the word STDIN elsewhere', () => {
    const kinds = splitSql(
      'copy t to stdout; copy (select stdin from stdin) to stdout; select 1 from stdin; copy t from stdin',
    ).statements.map(({ copy, data }) => ({ copy, data }));
    assert.deepEqual(kinds, [
      { copy: 'out', data: null },
      { copy: 'out', data: null },
      { copy: null, data: null },
      { copy: 'in', data: null },
    ]);
  });

  const problems: readonly (readonly [script: string, message: string])[] = [
    ["select 1;\n select 'abc", "2:9: this string is never closed: add '"],
    ["select e'abc\\'", "1:9: this string is never closed: add '"],
    ['select "abc', '1:8: this quoted name is never closed: add "'],
    ['select\n  $tag$ abc $$', '2:3: this string is never closed: add $tag$'],
    ['/* a /* b */', '1:1: this comment is never closed: add */'],
    [
      'select 1;\n\\i other.sql',
      '2:1: \\i is a command of psql, not SQL: give each file an ExecuteSQL of its own',
    ],
    [
      "\\copy t from 'f'",
      '1:1: \\copy is a command of psql, not SQL: use ReadFile, or COPY … FROM STDIN with the data after it',
    ],
    ['\\set x 1', "1:1: \\set is a command of psql, not SQL: use the option 'replace' for values that vary"],
    ['select 1 \\gx', '1:10: \\gx is a command of psql, not SQL: remove it'],
    [
      'select 1;\n\\.\n',
      '2:1: \\. is a command of psql, not SQL: it ends the data of COPY … FROM STDIN, and there is none here',
    ],
  ];
  for (const [script, message] of problems) {
    it(`reports ${JSON.stringify(script)}`, () => {
      assert.equal(problem(script), message);
    });
  }

  const piece = fc.constantFrom(
    ...Object.values(whole),
    ';',
    '\n',
    ' ',
    'select 1',
    'copy t from stdin;\n1\n\\.\n',
    'begin atomic',
    'create function',
    'end',
    '(',
    ')',
    '$',
    '🦆',
    '\uFEFF',
    "'",
    '--',
    'E',
  );

  it('loses nothing: the parts, joined, are the script', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const script = pieces.join('');
        let parts;
        try {
          parts = splitSql(script);
        } catch (error) {
          assert.ok(error instanceof SqlScriptError);
          return;
        }
        assert.equal(parts.statements.map(statement => statement.source).join('') + parts.rest, script);
        for (const { text, offset, line, column } of parts.statements) {
          assert.equal(script.slice(offset, offset + text.length), text);
          const lines = script.slice(0, offset).split('\n');
          assert.equal(line, lines.length);
          assert.equal(column, (lines.at(-1) ?? '').length + 1);
        }
      }),
    );
  });

  it('never splits inside quotes', () => {
    const quote = fc.constantFrom(
      (text: string) => `'${text.replaceAll("'", "''")}'`,
      (text: string) => `"${text.replaceAll('"', '""')}"`,
      (text: string) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`,
      (text: string) => `$q$${text.replaceAll('$', '')}$q$`,
      (text: string) => `/* ${text.replaceAll(/[*/]/g, '')} */`,
      (text: string) => `-- ${text.replaceAll(/[\n\r]/g, '')}\n`,
    );
    const content = fc.array(
      fc.constantFrom(';', "'", '"', '$$', '\\', '\n', '--', '/*', '*/', 'x', '(', ')'),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(quote, content), { minLength: 1, maxLength: 5 }), quoted => {
        const statement = `select ${quoted.map(([make, parts]) => make(parts.join(''))).join(' , ')} end`;
        assert.deepEqual(texts(`${statement};${statement}`), [statement, statement]);
      }),
    );
  });
});
