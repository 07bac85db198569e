/** The line to the service, with puppets for services: real processes that do what a test says. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import type { ServiceState } from '../../extension/project/project-state.ts';
import { ServiceClient } from '../../extension/service/service-client.ts';
import { temporaryFolder, type TemporaryFolder } from '../support/temp.ts';
import { waitUntil } from '../support/wait.ts';

const ready = "process.send({ type: 'ready', version: 1, runnerVersion: '0.1.0' });";
const nothing = (): void => undefined;
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

interface Puppet {
  readonly client: ServiceClient;
  readonly states: ServiceState[];
  readonly folder: TemporaryFolder;
}

describe('service client', () => {
  const open: Puppet[] = [];

  async function puppet(code: string, pauses: readonly number[] = [1, 1]): Promise<Puppet> {
    const folder = await temporaryFolder({ 'dist/package.json': '{}', 'dist/service.js': code });
    const client = new ServiceClient(
      () =>
        Promise.resolve({
          execPath: process.execPath,
          dist: join(folder.path, 'dist'),
          env: { PATH: process.env['PATH'] ?? '' },
          options: { version: 1, directory: folder.path, trusted: true },
        }),
      silent,
      pauses,
    );
    const states: ServiceState[] = [];
    client.onState(state => states.push(state));
    const made = { client, states, folder };
    open.push(made);
    return made;
  }

  afterEach(async () => {
    for (const { client, folder } of open.splice(0)) {
      client.dispose();
      await folder[Symbol.asyncDispose]();
    }
  });

  it('asks after the handshake, answers by id, and passes on what is new', async () => {
    const { client } = await puppet(`
      const options = JSON.parse(process.env.MILLRACE_SERVICE);
      ${ready}
      process.on('disconnect', () => process.exit());
      process.on('message', message => {
        if (message.type === 'shutdown') process.exit();
        if (message.method === 'run') process.send({ type: 'error', id: message.id, code: 'notFound', message: 'There is no run 7.' });
        else process.send({ type: 'result', id: message.id, result: [message.method, options.trusted] });
        process.send({ type: 'store', state: { kind: 'ready', description: 'here' } });
      });`);
    const news: string[] = [];
    client.onNews(({ type }) => news.push(type));
    assert.deepEqual(await client.request('configuration', {}), ['configuration', true]);
    await assert.rejects(client.request('run', { runId: 7 }), {
      name: 'ServiceError',
      code: 'notFound',
      message: 'There is no run 7.',
    });
    await waitUntil(() => news.length === 2);
    assert.deepEqual(client.state, { kind: 'ready', runnerVersion: '0.1.0' });
  });

  it('starts it again when it ends, and says so to who waits', async () => {
    const { client, states } = await puppet(`
      ${ready}
      const { existsSync, writeFileSync } = require('node:fs');
      process.on('disconnect', () => process.exit());
      process.on('message', message => {
        if (message.type === 'shutdown') process.exit();
        if (existsSync('ended')) process.send({ type: 'result', id: message.id, result: null });
        else { writeFileSync('ended', ''); console.error('out of memory'); process.exit(3); }
      });`);
    await assert.rejects(client.request('connect', {}), {
      message: 'The process that reads the history has ended. It ended with exit code 3: out of memory',
    });
    assert.equal(await client.request('connect', {}), null);
    assert.deepEqual(
      states.map(({ kind }) => kind),
      ['starting', 'ready', 'waiting', 'starting', 'ready'],
    );
  });

  it('gives up on one that never starts, until somebody asks again', async () => {
    const { client, states } = await puppet("console.error('no such module'); process.exit(1);");
    client.start();
    await waitUntil(() => client.state.kind === 'broken');
    assert.deepEqual(
      states.map(({ kind }) => kind),
      ['starting', 'waiting', 'starting', 'waiting', 'starting', 'broken'],
    );
    const message = 'The process that reads the history has ended. It ended with exit code 1: no such module';
    assert.deepEqual(client.state, { kind: 'broken', message });
    await assert.rejects(client.request('connect', {}), { message });
    client.start();
    assert.equal(client.state.kind, 'starting');
    await waitUntil(() => client.state.kind === 'broken');
  });

  it('does not talk to another version', async () => {
    const { client } = await puppet(
      "process.send({ type: 'ready', version: 99, runnerVersion: '9' }); process.on('message', () => process.exit()); process.on('disconnect', () => process.exit());",
      [],
    );
    await assert.rejects(client.request('connect', {}), {
      message:
        'The process that reads the history has ended. It speaks another version of the protocol (99).',
    });
    assert.equal(client.state.kind, 'broken');
  });

  it('says which runtime cannot be started', async () => {
    const client = new ServiceClient(
      () =>
        Promise.resolve({
          execPath: '/nowhere/node',
          dist: '/',
          env: {},
          options: { version: 1, directory: '/', trusted: false },
        }),
      silent,
      [],
    );
    await assert.rejects(client.request('connect', {}), {
      message:
        'The process that reads the history has ended. It cannot be started with /nowhere/node: spawn /nowhere/node ENOENT',
    });
    client.dispose();
  });
});
