import assert from 'node:assert/strict';
import { SecretMasker } from '../../runner/pool/output.ts';
import { OutputCollector } from '../../runner/pool/output-collector.ts';
import { OutputFlow, window } from '../../runner/pool/output-flow.ts';
import type { OutputChunk } from '../../runner/pool/protocol.ts';

const out = { format: 'verbatim', isError: false } as const;
const err = { format: 'verbatim', isError: true } as const;

describe('output: collector', () => {
  it('keeps the order of arrival and joins lines of one kind', () => {
    const sent: OutputChunk[] = [];
    using collector = new OutputCollector({
      masker: SecretMasker.create(['hush']),
      send: chunks => sent.push(...chunks),
    });
    const stdout = collector.stream(out);
    const stderr = collector.stream(err);
    stdout.write(Buffer.from('one\ntwo\nbeg'));
    stderr.write(Buffer.from('problem: hush\n'));
    stdout.write(Buffer.from('un\n'));
    collector.write('a remark\nof two lines\n', { format: 'standard', isError: false });
    collector.write('', { format: 'standard', isError: false });
    stdout.write(Buffer.from('rest'));
    stdout.end();
    collector.flush();
    assert.deepEqual(sent, [
      { ...out, text: 'one\ntwo' },
      { ...err, text: 'problem: ***' },
      { ...out, text: 'begun' },
      { format: 'standard', isError: false, text: 'a remark\nof two lines\n' },
      { ...out, text: 'rest' },
    ]);
  });

  it('sends large batches at once and small ones by itself', async () => {
    const batches = Promise.withResolvers<number[]>();
    const sizes: number[] = [];
    using collector = new OutputCollector({
      send: (_chunks, bytes) => {
        sizes.push(bytes);
        if (sizes.length === 2) batches.resolve(sizes);
      },
    });
    const stdout = collector.stream(out);
    stdout.write(Buffer.from(`${'x'.repeat(79)}\n`.repeat(4000)));
    assert.deepEqual(sizes, [320_000]);
    assert.equal(collector.waiting, 0);
    stdout.write(Buffer.from('small\n'));
    assert.equal(collector.waiting, 6);
    assert.deepEqual(await batches.promise, [320_000, 6]);
  });
});

describe('output: flow', () => {
  it('is full at the window and opens when half of it has been taken up', async () => {
    const flow = new OutputFlow();
    flow.sent(window - 1);
    assert.equal(flow.wait(), undefined);
    flow.sent(1);
    const room = flow.wait();
    assert.ok(room !== undefined);
    flow.taken(window / 2 - 1);
    assert.equal(flow.full, false);
    flow.taken(window / 2);
    await room;
    flow.taken(1);
    assert.equal(flow.wait(), undefined);
  });
});
