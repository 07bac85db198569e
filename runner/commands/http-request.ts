/** Sends an HTTP request. */
import { Command } from '../api/command.ts';
import type { CommandContext, ParameterContext } from '../api/context.ts';
import { checkCount, checkOptions, checkSeconds, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, settingItems } from './docs.ts';
import { hideSecrets } from './http-secrets.ts';
import { previewContext, runContext } from './parameter-context.ts';
import { checkText } from './run-bash.ts';
import { shellWords } from './shell-quote.ts';

type TextOption = string | ((context: ParameterContext) => string);
type HeaderTexts = Readonly<Record<string, string>>;

/** Functions are called when the command runs or is shown, and get the parameters of the run. */
export interface HttpRequestOptions {
  /** Where it goes: `https://…`, or a function that returns it; the place for tokens. */
  readonly url: TextOption;
  /** Default: `POST` when there is a body, else `GET`. */
  readonly method?: string | undefined;
  /** Headers by name, or a function that returns them. Default: none. */
  readonly headers?: HeaderTexts | ((context: ParameterContext) => HeaderTexts) | undefined;
  /** What is sent, or a function that returns it. Default: nothing. */
  readonly body?: TextOption | undefined;
  /** How often it is sent again after no answer or a status of 429, 500, 502, 503 or 504. Default: 0. */
  readonly retries?: number | undefined;
  /** Seconds before the first repetition, twice as many before each further one; the server may ask for more. Default: 1. */
  readonly retryDelay?: number | undefined;
  /** Seconds that one attempt may take. Default: 300. */
  readonly timeout?: number | undefined;
}

const optionKeys: ReadonlySet<string> = new Set([
  'url',
  'method',
  'headers',
  'body',
  'retries',
  'retryDelay',
  'timeout',
] satisfies (keyof HttpRequestOptions)[]);

/** Without the others: the defaults of the options. */
const defaults = { retries: 0, retryDelay: 1, timeout: 300 } as const;

/** A request with nothing left to compute. */
export interface MadeRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/**
 * Sends an HTTP request and writes the answer to the log; a status of 400 or more fails. Redirects are followed. Values
 * of headers, and of parameters of the URL that are named like secrets, are not shown anywhere.
 *
 * @example new HttpRequest({ url: 'https://example.com/refresh', method: 'POST', retries: 3 })
 */
export class HttpRequest extends Command {
  readonly #options: HttpRequestOptions;

  /** @throws PipelineError when an option is unknown or not valid */
  constructor(options: HttpRequestOptions) {
    super();
    checkOptions('HttpRequest', options, optionKeys);
    const { url, method, headers, body, retries, retryDelay, timeout } = options;
    checkText('HttpRequest', 'url', url);
    if (typeof url === 'string') checkUrl(url);
    if (method !== undefined && (typeof method !== 'string' || !/^[A-Za-z]+$/.test(method))) {
      throw new PipelineError(
        `HttpRequest: method must be a word like "GET" or "POST", not ${describeValue(method)}.`,
      );
    }
    if (typeof headers !== 'function') checkHeaders(headers);
    if (body !== undefined && typeof body !== 'string' && typeof body !== 'function') {
      throw new PipelineError(
        `HttpRequest: body must be a string or a function, not ${describeValue(body)}.`,
      );
    }
    const owner = (): string => 'HttpRequest';
    checkCount(owner, 'retries', retries, 0);
    checkSeconds(owner, 'retryDelay', retryDelay, true);
    checkSeconds(owner, 'timeout', timeout, false);
    this.#options = options;
  }

  override shellCommand(): string {
    const { method, ...request } = this.#shown();
    const { url, headers, body } = hideSecrets(request);
    const { retries = defaults.retries, timeout = defaults.timeout } = this.#options;
    return shellWords([
      'curl',
      '--fail-with-body',
      '--location',
      ...(method === 'GET' ? [] : ['--request', method]),
      ...(retries === 0 ? [] : ['--retry', String(retries)]),
      '--max-time',
      String(timeout),
      ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...(body === undefined ? [] : ['--data-binary', body]),
      url,
    ]);
  }

  override async run(context: CommandContext): Promise<void> {
    const {
      retries = defaults.retries,
      retryDelay = defaults.retryDelay,
      timeout = defaults.timeout,
    } = this.#options;
    const request = this.#request(runContext(context));
    const { sendRequest } = await import('./http-client.ts');
    await sendRequest(context, request, { retries, retryDelay, timeout });
  }

  override docs(): DocItem[] {
    const { retries, retryDelay, timeout } = this.#options;
    const shown = (label: string, language: DocItem['language'], text: () => string): DocItem =>
      docItem(label, language, text);
    return [
      shown('url', 'text', () => hideSecrets(this.#shown()).url),
      shown('method', 'text', () => this.#shown().method),
      ...(this.#options.headers === undefined
        ? []
        : [
            shown('headers', 'text', () =>
              Object.entries(hideSecrets(this.#shown()).headers)
                .map(([name, value]) => `${name}: ${value}`)
                .join('\n'),
            ),
          ]),
      ...(this.#options.body === undefined
        ? []
        : [shown('body', 'text', () => hideSecrets(this.#shown()).body ?? '')]),
      ...settingItems({ retries, retryDelay, timeout }),
      docItem('command', 'bash', () => this.shellCommand()),
    ];
  }

  override spec(): CommandSpec | undefined {
    const { url, headers, body } = this.#options;
    return [url, headers, body].some(option => typeof option === 'function')
      ? undefined
      : { kind: 'HttpRequest', options: this.#options };
  }

  #shown(): MadeRequest {
    return this.#request(previewContext(this.parent));
  }

  #request(context: ParameterContext): MadeRequest {
    const { method, headers } = this.#options;
    const url = made('url', this.#options.url, context) ?? '';
    checkUrl(url);
    const body = made('body', this.#options.body, context);
    const given = typeof headers === 'function' ? headers(context) : (headers ?? {});
    checkHeaders(given);
    return {
      url,
      method: (method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase(),
      headers: given,
      body,
    };
  }
}

function made(option: string, value: TextOption | undefined, context: ParameterContext): string | undefined {
  if (typeof value !== 'function') return value;
  const text: unknown = value(context);
  if (typeof text === 'string') return text;
  throw new PipelineError(
    `HttpRequest: the function for ${option} must return a string, not ${describeValue(text)}.`,
  );
}

/** The text itself is not shown: it may hold a token. */
function checkUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (protocol === 'http:' || protocol === 'https:') return;
  throw new PipelineError('HttpRequest: url must begin with http:// or https:// and name a server.');
}

function checkHeaders(headers: unknown): void {
  if (headers === undefined) return;
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw new PipelineError(
      `HttpRequest: headers must be an object with values by name, not ${describeValue(headers)}.`,
    );
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)) {
      throw new PipelineError(`HttpRequest: ${describeValue(name)} cannot be the name of a header.`);
    }
    if (typeof value !== 'string' || /[\r\n\0]/.test(value)) {
      throw new PipelineError(
        `HttpRequest: the header ${name} must be a string on one line. If it comes from an environment variable, is that set?`,
      );
    }
  }
}
