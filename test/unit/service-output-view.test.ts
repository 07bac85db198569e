/** A view on output whose reader goes away. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { OutputView } from '../../runner/service/output-view.ts';

describe('a view on output', () => {
  it('that is closed while it is being opened holds up nothing', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const nothing = (): void => undefined;
    const view = new OutputView(
      1,
      { runId: 1 },
      { shared: never, connect: never },
      { onExtent: nothing, onFailure: nothing },
    );
    const opened = view.open();
    view.close();
    assert.deepEqual(await opened, { lines: 0, errors: 0, complete: false });
  });
});
