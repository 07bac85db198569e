import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  barHeight,
  barPosition,
  clamp,
  endPlace,
  isBefore,
  MAX_HEIGHT,
  moveBy,
  placeAt,
  reveal,
  type ScrollExtent,
  type ScrollPlace,
  START,
} from '../../webview/output/scroll.ts';

/** Lines of different heights, as when they wrap. */
const extents = fc
  .record({
    lines: fc.integer({ min: 1, max: 3_000_000 }),
    view: fc.integer({ min: 40, max: 2000 }),
    tall: fc.integer({ min: 2, max: 50 }),
  })
  .map(({ lines, view, tall }): ScrollExtent => ({
    lines,
    view,
    heightOf: index => (index % tall === 0 ? 60 : 20),
  }));

const place = (extent: ScrollExtent, share: number): ScrollPlace =>
  clamp(extent, { index: Math.min(extent.lines - 1, Math.floor(share * extent.lines)), offset: 0 });

describe('output: scrolling', () => {
  it('two million lines have a scroll bar that a browser can draw', () => {
    const extent = { lines: 2_000_000, view: 500, heightOf: () => 20 };
    assert.equal(barHeight(extent), MAX_HEIGHT);
    assert.deepEqual(endPlace(extent), { index: 1_999_975, offset: 0 });
    assert.equal(barPosition(extent, endPlace(extent)), MAX_HEIGHT - 500);
    assert.equal(placeAt(extent, (MAX_HEIGHT - 500) / 2).index, 999_987);
  });

  it('a step down and the same step up end where they began, in the middle', () => {
    fc.assert(
      fc.property(
        extents,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 5000 }),
        (extent, share, step) => {
          const from = place(extent, share);
          const down = moveBy(extent, from, step);
          if (!isBefore(down, endPlace(extent))) return;
          assert.deepEqual(moveBy(extent, down, -step), from);
        },
      ),
    );
  });

  it('never leaves what there is', () => {
    fc.assert(
      fc.property(
        extents,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.integer({ min: -100_000, max: 100_000 }), { maxLength: 10 }),
        (extent, share, steps) => {
          let at = place(extent, share);
          for (const step of steps) {
            at = moveBy(extent, at, step);
            assert.ok(at.index >= 0 && at.index < extent.lines && at.offset >= 0);
            assert.ok(at.offset < extent.heightOf(at.index) || at.index === extent.lines - 1);
            assert.ok(!isBefore(endPlace(extent), at));
          }
        },
      ),
    );
  });

  it('the bar reaches both ends and keeps the order of places', () => {
    fc.assert(
      fc.property(
        extents,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (extent, one, other) => {
          const range = barHeight(extent) - extent.view;
          assert.deepEqual(placeAt(extent, 0), START);
          assert.deepEqual(placeAt(extent, range), range > 0 ? endPlace(extent) : START);
          assert.equal(barPosition(extent, START), 0);
          const [low, high] = [Math.min(one, other), Math.max(one, other)].map(share => place(extent, share));
          assert.ok(low !== undefined && high !== undefined);
          assert.ok(barPosition(extent, low) <= barPosition(extent, high));
          assert.ok(!isBefore(placeAt(extent, high.index), placeAt(extent, low.index)));
        },
      ),
    );
  });

  it('the place that the bar shows is the place it was pulled to', () => {
    fc.assert(
      fc.property(extents, fc.double({ min: 0, max: 1, noNaN: true }), (extent, share) => {
        const range = barHeight(extent) - extent.view;
        if (range < 10) return;
        const top = share * (range - 2);
        const back = barPosition(extent, placeAt(extent, top));
        // As exact as a place within a line.
        assert.ok(Math.abs(back - top) <= (range / extent.lines) * 3 + 1, `${back} for ${top}`);
      }),
    );
  });

  it('brings a line into view, and leaves the view alone when it is there', () => {
    const extent = { lines: 1000, view: 100, heightOf: () => 20 };
    assert.deepEqual(reveal(extent, { index: 10, offset: 0 }, 15, 12), { index: 10, offset: 0 });
    assert.deepEqual(reveal(extent, { index: 10, offset: 0 }, 15, 500), { index: 498, offset: 0 });
    assert.deepEqual(reveal(extent, { index: 10, offset: 0 }, 15, 0), START);
    assert.deepEqual(reveal(extent, { index: 10, offset: 0 }, 15, 999), endPlace(extent));
  });
});
