/** What the editor is told of a tree that it shows: nothing but what has changed. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import { ShownElements } from '../../extension/tree/shown-elements.ts';

interface Row {
  readonly id: string;
}

describe('elements that a tree shows', () => {
  /** Texts and children by id; '' is the root. */
  let texts: Map<string, string>;
  let children: Map<string, readonly string[]>;
  let shown: ShownElements<Row>;
  const row = (id: string): Row => shown.same({ id });
  const below = (id: string): Row[] => (children.get(id) ?? []).map(row);
  /** What the editor does with an element that it is told of. */
  const draw = (element: Row | undefined): void => {
    if (element !== undefined) shown.drawn(element);
    const found = below(element?.id ?? '');
    shown.opened(element, found);
    for (const child of found) draw(child);
  };
  const changes = (): readonly string[] | 'all' => shown.changes()?.map(({ id }) => id) ?? 'all';

  beforeEach(() => {
    texts = new Map([
      ['today', 'Today'],
      ['run 1', 'failed'],
      ['run 2', 'running|10 %'],
    ]);
    children = new Map([
      ['', ['today']],
      ['today', ['run 2', 'run 1']],
    ]);
    shown = new ShownElements<Row>({
      keyOf: ({ id }) => id,
      drawnOf: ({ id }) => {
        const [state = '', figures = ''] = texts.get(id)?.split('|') ?? [];
        return texts.has(id) ? { state, figures } : undefined;
      },
      childrenOf: element => below(element?.id ?? ''),
    });
    draw(undefined);
  });

  it('are the same objects for as long as they are there', () => {
    const before = row('run 1');
    texts.set('run 1', 'succeeded');
    shown.changes();
    assert.equal(row('run 1'), before);
    texts.delete('run 1');
    shown.changes();
    assert.notEqual(row('run 1'), before);
  });

  it('are told one by one, until they are drawn', () => {
    assert.deepEqual(changes(), []);
    texts.set('run 2', 'running|20 %');
    assert.deepEqual(changes(), ['run 2']);
    draw(row('run 2'));
    assert.deepEqual(changes(), []);
  });

  it('are told without their figures when nothing else counts', () => {
    texts.set('run 2', 'running|20 %');
    texts.set('today', 'Today|2 runs');
    assert.deepEqual(shown.changes('states'), []);
    assert.deepEqual(shown.changes('rows'), [row('run 2')]);
    assert.deepEqual(changes(), ['today', 'run 2']);
    texts.set('run 2', 'failed|20 %');
    assert.deepEqual(shown.changes('states'), [row('run 2')]);
  });

  it('are told when others are below them', () => {
    texts.set('run 3', 'running|0 %');
    children.set('today', ['run 3', 'run 2', 'run 1']);
    assert.deepEqual(changes(), ['today']);
    draw(row('today'));
    assert.deepEqual(changes(), []);
  });

  it('are told as a whole tree only when others are at the top', () => {
    texts.set('tomorrow', 'Tomorrow');
    children.set('', ['tomorrow', 'today']);
    assert.equal(changes(), 'all');
  });

  it('are not told of before they were drawn', () => {
    texts.set('run 9', 'below something that is closed');
    row('run 9');
    texts.set('run 9', 'other');
    assert.deepEqual(changes(), []);
  });
});
