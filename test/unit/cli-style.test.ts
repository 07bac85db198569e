import assert from 'node:assert/strict';
import { styleFor } from '../../runner/cli/style.ts';

describe('colours', () => {
  const terminal = { isTTY: true } as unknown as NodeJS.WriteStream;
  const file = { isTTY: false } as unknown as NodeJS.WriteStream;
  const variables = ['NO_COLOR', 'TERM'] as const;
  const before: Partial<Record<string, string | undefined>> = {};

  beforeEach(() => {
    for (const name of variables) before[name] = process.env[name];
    delete process.env['NO_COLOR'];
    process.env['TERM'] = 'xterm-256color';
  });
  afterEach(() => {
    for (const name of variables) {
      const value = before[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  const isColoured = (stream: NodeJS.WriteStream, allowed = true): boolean =>
    styleFor(stream, allowed)('red', 'x') !== 'x';

  it('are on a terminal only', () => {
    assert.equal(styleFor(terminal, true)('red', 'x'), '\u001b[31mx\u001b[39m');
    assert.equal(isColoured(file), false);
  });

  it('are left out by --no-color, NO_COLOR and on a terminal that cannot', () => {
    assert.equal(isColoured(terminal, false), false);
    process.env['NO_COLOR'] = '1';
    assert.equal(isColoured(terminal), false);
    process.env['NO_COLOR'] = '';
    assert.equal(isColoured(terminal), true, 'an empty NO_COLOR says nothing');
    process.env['TERM'] = 'dumb';
    assert.equal(isColoured(terminal), false);
  });
});
