/** What of a request must not be shown: values of headers, passwords and tokens in a URL and in a body of JSON. */

const MASK = '***';

/** Shorter texts would mask half of every line. */
const SHORTEST = 4;

/** Headers whose values are no secrets; those of all others are not shown. */
const openHeaders: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-type',
  'date',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'origin',
  'prefer',
  'range',
  'referer',
  'user-agent',
  'x-requested-with',
]);

const secretName = /auth|bearer|credential|^code$|key|pass|pwd|secret|session|^sig$|signature|token/i;

/** A request as it may be shown, and the texts that were left out. */
export interface ShownRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly secrets: readonly string[];
}

export function hideSecrets(request: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}): ShownRequest {
  const secrets = new Set<string>();
  const hide = (text: string): string => {
    if (text === '') return text;
    secrets.add(text);
    secrets.add(encodeURIComponent(text));
    return MASK;
  };
  const url = hideInUrl(request.url, hide);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => {
      if (openHeaders.has(name.toLowerCase())) return [name, value];
      // `Bearer token`: the token alone is the secret as well.
      for (const part of value.split(/[\s=;,]+/).slice(1)) hide(part);
      const basic = /^basic\s+(\S+)$/i.exec(value)?.[1];
      if (basic !== undefined)
        hide(
          Buffer.from(basic, 'base64')
            .toString()
            .replace(/^[^:]*:/, ''),
        );
      return [name, hide(value)];
    }),
  );
  return {
    url,
    headers,
    body: request.body === undefined ? undefined : hideInBody(request.body, hide),
    secrets: [...secrets].filter(text => text.length >= SHORTEST).sort((a, b) => b.length - a.length),
  };
}

/** Replaces what was left out of a request in a text that may repeat it. */
export function masked(text: string, secrets: readonly string[]): string {
  return secrets.reduce((result, secret) => result.replaceAll(secret, MASK), text);
}

/** What a name and a password in a URL are sent as. */
export function basicCredentials({ username, password }: URL): string {
  return Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64');
}

function hideInUrl(text: string, hide: (text: string) => string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  let shown = text;
  // As it was written, not as the parser writes it: that would turn *** and other characters into %2A.
  if (url.password !== '') {
    hide(decode(url.password));
    hide(basicCredentials(url));
    shown = shown.replace(/^([^/]*\/\/[^/?#@]*?):[^/?#]*@/, `$1:${hide(url.password)}@`);
  }
  return shown.replace(/([?&])([^=&#]+)=([^&#]*)/g, (whole, mark: string, name: string, value: string) => {
    if (value === '' || !secretName.test(decode(name))) return whole;
    hide(decode(value));
    return `${mark}${name}=${hide(value)}`;
  });
}

function hideInBody(body: string, hide: (text: string) => string): string {
  const state = { found: false };
  const hideAll = (value: unknown): unknown => {
    if (typeof value === 'string' || typeof value === 'number')
      return ((state.found = true), hide(String(value)));
    if (Array.isArray(value)) return value.map(hideAll);
    return value;
  };
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, secretName.test(key) ? hideAll(each) : visit(each)]),
    );
  };
  try {
    const shown = visit(JSON.parse(body));
    return state.found ? JSON.stringify(shown) : body;
  } catch {
    // Not JSON: a form, perhaps.
    return body.replace(/(^|&)([^=&\s]+)=([^&\s]*)/g, (whole, mark: string, name: string, value: string) => {
      if (value === '' || !secretName.test(decode(name))) return whole;
      hide(decode(value));
      return `${mark}${name}=${hide(value)}`;
    });
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
