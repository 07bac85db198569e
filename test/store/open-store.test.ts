import assert from 'node:assert/strict';
import { temporaryStore } from '../support/store.ts';

describe('openStore', () => {
  it('opens an embedded store with all tables', async () => {
    await using project = await temporaryStore();
    const db = await project.store.db();
    assert.deepEqual(await db.selectFrom('run').selectAll().execute(), []);
    for (let i = 0; i < 8; i++) {
      const t = performance.now();
      const s = await project.open();
      const t1 = performance.now();
      console.log('warm open', (t1 - t).toFixed(1));
      await s.close();
    }
  });
});
