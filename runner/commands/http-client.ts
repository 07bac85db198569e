/** Sends a request, again if need be, and writes the answer to the log. */
import { setTimeout as wait } from 'node:timers/promises';
import type { CommandContext } from '../api/context.ts';
import type { MadeRequest } from './http-request.ts';
import { basicCredentials, hideSecrets, masked, type ShownRequest } from './http-secrets.ts';

export interface RetryOptions {
  readonly retries: number;
  /** Seconds before the first repetition. */
  readonly retryDelay: number;
  /** Seconds for one attempt. */
  readonly timeout: number;
}

/** A request that was not answered, or with a status that means failure. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  /** `undefined`: no answer came. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Lines of an answer that the log shows, when all is well and when not; and how much of it is read for that. */
const SHOWN_LINES = 100;
const SHOWN_ERROR_LINES = 20;
const SHOWN_CHARACTERS = 1 << 16;

/** The server is busy or broken for a while. */
const retriedStatus: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** Longest time in seconds that is waited before a repetition, whatever the server asks for. */
const longestDelay = 300;

/**
 * @throws HttpError for a status of 400 or more, and when there is no answer; both after the last repetition. The
 * signal's reason when it is aborted.
 */
export async function sendRequest(
  context: CommandContext,
  request: MadeRequest,
  { retries, retryDelay, timeout }: RetryOptions,
): Promise<void> {
  const { log, signal } = context;
  const shown = hideSecrets(request);
  log.command(`${request.method} ${shown.url}`);
  for (let attempt = 0; ; attempt++) {
    const outcome = await attemptOnce(context, request, shown, timeout);
    if (outcome === undefined) return;
    const { error, retryAfter } = outcome;
    const isRetried = error.status === undefined || retriedStatus.has(error.status);
    if (!isRetried || attempt >= retries) throw error;
    const seconds = Math.min(longestDelay, Math.max(retryAfter ?? 0, retryDelay * 2 ** attempt));
    log.info(`${error.message}; again in ${String(seconds)} s`);
    await wait(seconds * 1000, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** `undefined`: it went well. */
async function attemptOnce(
  { log, signal }: CommandContext,
  request: MadeRequest,
  shown: ShownRequest,
  timeout: number,
): Promise<{ readonly error: HttpError; readonly retryAfter: number | undefined } | undefined> {
  const limit = AbortSignal.timeout(timeout * 1000);
  const { url, headers } = withoutCredentials(request);
  const what = `${request.method} ${shown.url}`;
  try {
    const response = await fetch(url, {
      method: request.method,
      headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: AbortSignal.any([signal, limit]),
    });
    const isError = response.status >= 400;
    const { text, rest, bytes } = await readAnswer(response, isError ? SHOWN_ERROR_LINES : SHOWN_LINES);
    const status = `${String(response.status)} ${response.statusText}`.trim();
    log.info(`${status}, ${bytes.toLocaleString('en-US')} bytes`);
    if (text !== '') log.write(masked(text, shown.secrets), { format: 'verbatim', isError });
    if (rest) log.info('… (the rest is not shown)');
    if (!isError) return undefined;
    return {
      error: new HttpError(`${what}: ${status}`, response.status),
      retryAfter: secondsToWait(response),
    };
  } catch (error) {
    signal.throwIfAborted();
    const why = limit.aborted
      ? `no answer within ${String(timeout)} s`
      : masked(reason(error), shown.secrets);
    return { error: new HttpError(`${what}: ${why}`), retryAfter: undefined };
  }
}

/** All of the answer is read, so that the server has sent it; of text the beginning is kept. */
async function readAnswer(
  response: Response,
  lines: number,
): Promise<{ readonly text: string; readonly rest: boolean; readonly bytes: number }> {
  const decoder = new TextDecoder();
  const isText =
    /^(?:text\/|application\/(?:.*[+])?(?:json|xml|javascript|x-ndjson|x-www-form-urlencoded|yaml))/i.test(
      response.headers.get('content-type') ?? 'text/plain',
    );
  let bytes = 0;
  let text = '';
  let rest = false;
  if (response.body !== null) {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (!isText) continue;
      if (text.length < SHOWN_CHARACTERS) text += decoder.decode(chunk, { stream: true });
      else rest = true;
    }
  }
  const all = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const kept = all.slice(0, lines).join('\n');
  return {
    text: kept.slice(0, SHOWN_CHARACTERS),
    rest: rest || all.length > lines || kept.length > SHOWN_CHARACTERS,
    bytes,
  };
}

/** `fetch` takes no URL with a user's name and password; they travel as the header that they stand for. */
function withoutCredentials({ url, headers }: MadeRequest): {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const parsed = new URL(url);
  if (parsed.username === '' && parsed.password === '') return { url, headers };
  const credentials = basicCredentials(parsed);
  parsed.username = parsed.password = '';
  return { url: parsed.href, headers: { Authorization: `Basic ${credentials}`, ...headers } };
}

/** What the server asks for: seconds, or a date. */
function secondsToWait(response: Response): number | undefined {
  const value = response.headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** fetch says "fetch failed"; the cause says why. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.message === '') {
    const inner: unknown = cause.errors[0];
    return inner instanceof Error ? inner.message : String(inner);
  }
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
