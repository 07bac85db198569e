import assert from 'node:assert/strict';
import {
  deleteFileDependency,
  deleteIncrementalCopyStatus,
  fileDependency,
  incrementalCopyStatus,
  processedFiles,
  resetState,
  setFileDependency,
  setIncrementalCopyStatus,
  setProcessedFile,
  stateBelow,
} from '../../runner/store/state.ts';
import { temporaryStore } from '../support/store.ts';

describe('incremental state', function () {
  this.timeout(60_000); // the first test starts the server

  it('remembers, replaces and forgets', async () => {
    await using project = await temporaryStore();
    const { store } = project;
    const path = ['demo', 'it "is", {so}'];
    assert.equal(await fileDependency(store, path, 'sql'), null);
    await setFileDependency(store, path, 'sql', 'one');
    await setFileDependency(store, path, 'sql', 'two');
    assert.equal(await fileDependency(store, path, 'sql'), 'two');
    assert.equal(await fileDependency(store, path, 'other'), null);
    await deleteFileDependency(store, path, 'sql');
    assert.equal(await fileDependency(store, path, 'sql'), null);

    await setProcessedFile(store, path, 'a.csv', new Date(1_000));
    await setProcessedFile(store, path, 'b.csv', new Date(2_000));
    await setProcessedFile(store, path, 'a.csv', new Date(3_000));
    assert.deepEqual(
      await processedFiles(store, path),
      new Map([
        ['a.csv', new Date(3_000)],
        ['b.csv', new Date(2_000)],
      ]),
    );

    assert.equal(await incrementalCopyStatus(store, path, 'shop.orders'), null);
    await setIncrementalCopyStatus(store, path, 'shop.orders', '41');
    await setIncrementalCopyStatus(store, path, 'shop.orders', '42');
    assert.equal(await incrementalCopyStatus(store, path, 'shop.orders'), '42');
    await deleteIncrementalCopyStatus(store, path, 'shop.orders');
    assert.equal(await incrementalCopyStatus(store, path, 'shop.orders'), null);
  });

  it('is reset for a node and everything below it, not for its neighbours', async () => {
    await using project = await temporaryStore();
    const { store } = project;
    for (const path of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a-b'], ['ab'], ['A', 'b'], ['b']]) {
      await setFileDependency(store, path, 'sql', 'hash');
    }
    await setProcessedFile(store, ['a', 'b'], 'x.csv', new Date(0));
    await setProcessedFile(store, ['a', 'b'], 'y.csv', new Date(0));
    await setIncrementalCopyStatus(store, ['a', 'z'], 'shop.orders', '1');
    const expected = [
      { nodePath: ['a', 'b'], fileDependencies: 1, processedFiles: 2, copyStatuses: 0 },
      { nodePath: ['a', 'b', 'c'], fileDependencies: 1, processedFiles: 0, copyStatuses: 0 },
    ];
    assert.deepEqual(await stateBelow(store, ['a', 'b']), expected);
    assert.deepEqual(await resetState(store, ['a', 'b']), expected);
    assert.deepEqual(await resetState(store, ['a', 'b']), []);
    const rest = await resetState(store, []);
    assert.deepEqual(
      rest.map(({ nodePath }) => nodePath.join('/')),
      ['A/b', 'a', 'a-b', 'a/z', 'ab', 'b'],
    );
  });
});
