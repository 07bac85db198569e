import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { HttpRequest, type HttpRequestOptions } from '../../runner/commands/index.ts';
import { messageOf, testContext } from '../support/commands.ts';
import { waitUntil } from '../support/wait.ts';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

describe('HttpRequest', () => {
  let server: Server;
  let origin: string;
  let received: Received[];
  let answer: (response: ServerResponse, attempt: number) => void;
  before(async () => {
    server = createServer((request, response) => {
      void text(request).then(body => {
        const { method = '', url = '', headers } = request;
        received.push({ method, url, headers, body });
        answer(response, received.length);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  beforeEach(() => {
    received = [];
    answer = response => response.end('fine\n');
  });

  async function send(
    path: string,
    options: Partial<HttpRequestOptions> = {},
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const command = new HttpRequest({ url: origin + path, ...options });
    const context = testContext(command, { basePath: '/', ...(signal === undefined ? {} : { signal }) });
    const failure = await messageOf(() => command.run(context));
    const lines = failure === 'nothing was thrown' ? context.lines : [...context.lines, failure];
    return lines.map(line => line.replaceAll(origin, 'http://server'));
  }

  it('sends method, headers and body, and shows the answer', async () => {
    assert.deepEqual(await send('/refresh'), ['> GET http://server/refresh', '200 OK, 5 bytes', 'fine']);
    assert.deepEqual(
      await send('/refresh', {
        body: () => '{"a":1}',
        headers: () => ({ 'content-type': 'application/json' }),
      }),
      ['> POST http://server/refresh', '200 OK, 5 bytes', 'fine'],
    );
    await send('/refresh', { method: 'delete' });
    assert.deepEqual(
      received.map(({ method, url, body, headers }) => [method, url, body, headers['content-type']]),
      [
        ['GET', '/refresh', '', undefined],
        ['POST', '/refresh', '{"a":1}', 'application/json'],
        ['DELETE', '/refresh', '', undefined],
      ],
    );
  });

  it('fails for a status of 400 and more, with the first lines of the answer', async () => {
    answer = response => {
      response.writeHead(404);
      response.end(Array.from({ length: 30 }, (_, line) => `line ${String(line + 1)}\n`).join(''));
    };
    const lines = await send('/gone', { retries: 3 });
    assert.equal(received.length, 1, 'what is not there is not asked for again');
    assert.deepEqual(lines.slice(0, 3), ['> GET http://server/gone', '404 Not Found, 231 bytes', '!line 1']);
    assert.deepEqual(lines.slice(-3), [
      '!line 20',
      '… (the rest is not shown)',
      'GET http://server/gone: 404 Not Found',
    ]);
  });

  it('tries again when the server is busy or does not answer', async () => {
    answer = (response, attempt) => {
      if (attempt === 1) response.destroy();
      else if (attempt === 2) response.writeHead(503, { 'retry-after': '0' }).end('busy');
      else response.end();
    };
    assert.deepEqual(await send('/', { retries: 2, retryDelay: 0 }), [
      '> GET http://server/',
      'GET http://server/: other side closed; again in 0 s',
      '503 Service Unavailable, 4 bytes',
      '!busy',
      'GET http://server/: 503 Service Unavailable; again in 0 s',
      '200 OK, 0 bytes',
    ]);
    answer = response => response.writeHead(429).end();
    assert.equal(
      (await send('/', { retries: 1, retryDelay: 0 })).at(-1),
      'GET http://server/: 429 Too Many Requests',
    );
  });

  it('follows redirects, and says when nobody listens', async () => {
    answer = (response, attempt) => {
      if (attempt === 1) response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end('there');
    };
    assert.deepEqual(await send('/'), ['> GET http://server/', '200 OK, 5 bytes', 'there']);
    const unused = createServer();
    unused.listen(0, '127.0.0.1');
    await once(unused, 'listening');
    const { port } = unused.address() as AddressInfo;
    unused.close();
    await once(unused, 'close');
    const command = new HttpRequest({ url: `http://127.0.0.1:${String(port)}/` });
    assert.equal(
      await messageOf(() => command.run(testContext(command, { basePath: '/' }))),
      `GET http://127.0.0.1:${String(port)}/: connect ECONNREFUSED 127.0.0.1:${String(port)}`,
    );
  });

  it('gives up after the timeout, and at once when it is cancelled', async () => {
    answer = () => undefined;
    assert.equal(
      (await send('/slow', { timeout: 0.05 })).at(-1),
      'GET http://server/slow: no answer within 0.05 s',
    );
    const controller = new AbortController();
    answer = () => {
      controller.abort(new Error('cancelled by the test'));
    };
    assert.equal((await send('/slow', { retries: 5 }, controller.signal)).at(-1), 'cancelled by the test');
    const later = new AbortController();
    answer = response => response.writeHead(503, { 'retry-after': '200' }).end();
    const command = new HttpRequest({ url: origin, retries: 1 });
    const context = testContext(command, { basePath: '/', signal: later.signal });
    const failure = messageOf(() => command.run(context));
    await waitUntil(() => context.lines.at(-1)?.endsWith('; again in 200 s') === true);
    later.abort(new Error('cancelled while waiting'));
    assert.equal(await failure, 'cancelled while waiting');
  });

  it('shows no content that is not text', async () => {
    answer = response => response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from([0, 1, 2]));
    assert.deepEqual(await send('/'), ['> GET http://server/', '200 OK, 3 bytes']);
  });

  it('shows no secret, even when the server repeats it', async () => {
    answer = response => {
      const { url, headers, body }: Partial<Received> = received.at(-1) ?? {};
      response
        .writeHead(500)
        .end(
          `${String(url)} ${String(headers?.authorization)} ${String(headers?.['x-trace'])} ${String(body)}`,
        );
    };
    const options = {
      url: `${origin.replace('//', '//user:pa%24sword@')}/a?api_key=k3y%2Fvalue&page=2`,
      headers: { 'X-Trace': 'tr4ce-value', accept: 'text/plain' },
      body: '{"client_secret":"s3cret-value","name":"x"}',
    };
    const lines = await send('', options);
    assert.deepEqual(lines, [
      '> POST http://user:***@127.0.0.1/a?api_key=***&page=2'.replace('127.0.0.1', new URL(origin).host),
      '500 Internal Server Error, 140 bytes'.replace('140', String(/(\d+) bytes/.exec(lines[1] ?? '')?.[1])),
      '!/a?api_key=***&page=2 Basic *** *** {"client_secret":"***","name":"x"}',
      `POST http://user:***@${new URL(origin).host}/a?api_key=***&page=2: 500 Internal Server Error`,
    ]);
    assert.equal(received[0]?.headers.authorization, `Basic ${btoa('user:pa$sword')}`);
    const shown = JSON.stringify(new HttpRequest(options).docs());
    for (const secret of [
      'pa%24sword',
      'pa$sword',
      'k3y%2Fvalue',
      'k3y/value',
      'tr4ce-value',
      's3cret-value',
    ]) {
      assert.ok(!shown.includes(secret) && !lines.join('\n').includes(secret), secret);
    }
    assert.ok(shown.includes('page=2') && shown.includes('accept: text/plain'));
  });

  const mistakes: Readonly<Record<string, readonly [unknown, string]>> = {
    'a URL of another kind': [
      { url: 'ftp://example.com' },
      'HttpRequest: url must begin with http:// or https:// and name a server.',
    ],
    'a header without a value': [
      { url: 'http://a', headers: { Authorization: undefined } },
      'HttpRequest: the header Authorization must be a string on one line. If it comes from an environment variable, is that set?',
    ],
    'a header with a line break': [
      { url: 'http://a', headers: { a: 'b\nc' } },
      'HttpRequest: the header a must be a string on one line. If it comes from an environment variable, is that set?',
    ],
    'a method that is none': [
      { url: 'http://a', method: 'GET /' },
      'HttpRequest: method must be a word like "GET" or "POST", not "GET /".',
    ],
    'a body of a wrong type': [
      { url: 'http://a', body: {} },
      'HttpRequest: body must be a string or a function, not an object (Object).',
    ],
    'a number of retries below 0': [
      { url: 'http://a', retries: -1 },
      'HttpRequest: retries must be a whole number of at least 0, not -1.',
    ],
  };
  for (const [what, [options, message]] of Object.entries(mistakes)) {
    it(`reports ${what}`, async () => {
      assert.equal(await messageOf(() => new HttpRequest(options as HttpRequestOptions)), message);
    });
  }
});
