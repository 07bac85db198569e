import assert from 'node:assert/strict';
import { Outbox } from '../../runner/pool/outbox.ts';
import type { FromWorker, WorkerMail } from '../../runner/pool/protocol.ts';
import { waitUntil } from '../support/wait.ts';

/** What an outbox posted. */
function outbox(): { readonly box: Outbox; readonly posts: WorkerMail[] } {
  const posts: WorkerMail[] = [];
  const box = new Outbox((mail, done) => {
    posts.push(mail);
    done?.();
  });
  return { box, posts };
}

const group = (pgid: number, alive: boolean): FromWorker => ({ type: 'group', pgid, alive });

describe('what a worker sends', () => {
  it('travels together when it was said in one turn', async () => {
    const { box, posts } = outbox();
    box.send(group(1, false));
    box.send(group(2, false));
    assert.deepEqual(posts, []);
    await Promise.resolve();
    assert.deepEqual(posts, [[group(1, false), group(2, false)]]);
  });

  it('leaves out a process group that ended at once', async () => {
    const { box, posts } = outbox();
    box.send(group(1, true));
    box.send(group(1, false));
    await Promise.resolve();
    assert.deepEqual(posts, []);
    box.flush();
    assert.deepEqual(posts, []);
  });

  it('mentions a process group that lives on, and its end', async () => {
    const { box, posts } = outbox();
    box.send(group(1, true));
    await waitUntil(() => posts.length > 0);
    assert.deepEqual(posts, [[group(1, true)]]);
    box.send(group(1, false));
    await Promise.resolve();
    assert.deepEqual(posts[1], [group(1, false)]);
  });

  it('says when all has been sent, also when there is nothing', () => {
    const { box, posts } = outbox();
    let done = 0;
    box.flush(() => done++);
    box.send(group(1, false));
    box.flush(() => done++);
    assert.equal(done, 2);
    assert.deepEqual(posts, [[group(1, false)]]);
  });
});
