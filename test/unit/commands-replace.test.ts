import assert from 'node:assert/strict';
import fc from 'fast-check';
import { replaceText } from '../../runner/commands/replace.ts';
import { messageOf } from '../support/commands.ts';

describe('replacing text in SQL', () => {
  const replaced = (text: string, replacements: Parameters<typeof replaceText>[1]): string =>
    replaceText(text, replacements).text;

  it('replaces every occurrence, literally', () => {
    assert.equal(replaced('a.b axb a.b', { 'a.b': '$&\\1' }), '$&\\1 axb $&\\1');
    assert.equal(replaced('limit @n@ -- [*]', { '@n@': 10, '[*]': '(.)' }), 'limit 10 -- (.)');
  });

  it('prefers the longest, and leaves alone what it put in', () => {
    assert.equal(replaced('@chunk@ @chunk', { '@chunk': 'A', '@chunk@': 'B' }), 'B A');
    assert.equal(replaced('a b', { a: 'b', b: 'a' }), 'b a');
  });

  it('calls functions when they are needed, once', () => {
    let calls = 0;
    const replacements = { '@x@': () => ++calls, '@unused@': () => assert.fail('not needed') };
    assert.equal(replaced('@x@ @x@', replacements), '1 1');
    assert.equal(replaced('@x@', replacements), '2');
  });

  it('gives functions the parameters', async () => {
    const params = { day: '2026-01-31', days: 7, full: false };
    const text = replaceText(
      '@day@ @days@ @full@ @next@',
      {
        '@day@': context => context.params['day'],
        '@days@': context => context.params['days'],
        '@full@': context => context.params['full'],
        '@next@': context => Number(context.params['days']) + 1,
      },
      { params },
    );
    assert.equal(text.text, '2026-01-31 7 false 8');
    assert.equal(
      await messageOf(() => replaceText('@x@', { '@x@': context => context.params['dya'] }, { params })),
      'The function that replaces "@x@" must return a string, a number, true or false, not undefined.',
    );
  });

  it('says which function fails', async () => {
    const failing = (): string => {
      throw new Error('no such file');
    };
    assert.equal(
      await messageOf(() => replaced('@x@', { '@x@': failing })),
      'The function that replaces "@x@" failed: no such file',
    );
    assert.equal(
      await messageOf(() => replaced('@x@', { '@x@': (() => undefined) as unknown as () => string })),
      'The function that replaces "@x@" must return a string, a number, true or false, not undefined.',
    );
  });

  it('knows where the result comes from', () => {
    const original = 'select @a@,\n@b@ from t';
    const { text, offset } = replaceText(original, { '@a@': '1,\n2,\n3', '@b@': '' });
    assert.equal(text, 'select 1,\n2,\n3,\n from t');
    assert.equal(offset(text.indexOf('3')), original.indexOf('@a@'));
    assert.equal(offset(text.indexOf('from')), original.indexOf('from'));
    assert.equal(offset(0), 0);
    assert.equal(offset(text.length), original.length);
  });

  it('is what splitting and joining gives, for one pattern', () => {
    const characters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '$', '🦆') });
    fc.assert(
      fc.property(
        characters,
        fc.string({ unit: fc.constantFrom('a', '.', '$'), minLength: 1, maxLength: 3 }),
        characters,
        (text, pattern, value) => {
          const result = replaceText(text, { [pattern]: value });
          assert.equal(result.text, text.split(pattern).join(value));
          for (let at = 0, before = 0; at <= result.text.length; at++) {
            const origin = result.offset(at);
            assert.ok(origin >= before && origin <= text.length);
            before = origin;
          }
        },
      ),
    );
  });
});
