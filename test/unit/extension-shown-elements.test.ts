/** What the editor is told of a tree that it shows: nothing but what has changed. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import { ShownElements } from '../../extension/tree/shown-elements.ts';
import { Slices } from '../../extension/turns.ts';

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
  const changes = async (): Promise<readonly string[] | 'all'> =>
    (await shown.changes())?.map(({ id }) => id) ?? 'all';

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

  it('are the same objects for as long as they are there', async () => {
    const before = row('run 1');
    texts.set('run 1', 'succeeded');
    await shown.changes();
    assert.equal(row('run 1'), before);
    texts.delete('run 1');
    await shown.changes();
    assert.notEqual(row('run 1'), before);
  });

  it('are told one by one, until they are drawn', async () => {
    assert.deepEqual(await changes(), []);
    texts.set('run 2', 'running|20 %');
    assert.deepEqual(await changes(), ['run 2']);
    draw(row('run 2'));
    assert.deepEqual(await changes(), []);
  });

  it('are told without their figures when nothing else counts', async () => {
    texts.set('run 2', 'running|20 %');
    texts.set('today', 'Today|2 runs');
    assert.deepEqual(await shown.changes('states'), []);
    assert.deepEqual(await shown.changes('rows'), [row('run 2')]);
    assert.deepEqual(await changes(), ['today', 'run 2']);
    texts.set('run 2', 'failed|20 %');
    assert.deepEqual(await shown.changes('states'), [row('run 2')]);
  });

  it('are told when others are below them', async () => {
    texts.set('run 3', 'running|0 %');
    children.set('today', ['run 3', 'run 2', 'run 1']);
    assert.deepEqual(await changes(), ['today']);
    draw(row('today'));
    assert.deepEqual(await changes(), []);
  });

  it('are told as a whole tree only when others are at the top', async () => {
    texts.set('tomorrow', 'Tomorrow');
    children.set('', ['tomorrow', 'today']);
    assert.equal(await changes(), 'all');
  });

  it('are looked at in several turns when there are many', async () => {
    const many = Array.from({ length: 3 }, (_, index) => `row ${String(index)}`);
    let turns = 0;
    const seenIn: number[] = [];
    const slow: ShownElements<Row> = new ShownElements<Row>({
      keyOf: ({ id }) => id,
      drawnOf: ({ id }) => {
        const slice = new Slices();
        while (!slice.isOver);
        seenIn.push(turns);
        setImmediate(() => (turns += 1));
        return { state: id, figures: String(turns) };
      },
      childrenOf: () => Promise.resolve(many.map(id => slow.same({ id }))),
    });
    slow.opened(
      undefined,
      many.map(id => slow.same({ id })),
    );
    assert.deepEqual(await slow.changes(), []);
    assert.deepEqual(seenIn, [0, 1, 2]);
  });

  it('are not told of before they were drawn', async () => {
    texts.set('run 9', 'below something that is closed');
    row('run 9');
    texts.set('run 9', 'other');
    assert.deepEqual(await changes(), []);
  });
});
