/** Texts that must not be shown: passwords of databases and what the project names itself. */
import type { EffectiveConfig } from '../loader/config.ts';

/** Shorter texts would mask half of every line. */
const shortestMask = 4;

/** Every secret of a configuration, longest first, so that a secret inside another one leaves no rest. */
export function secretsOf(config: Pick<EffectiveConfig, 'databases' | 'passwordMasks' | 'store'>): string[] {
  const secrets = new Set(config.passwordMasks);
  for (const database of Object.values(config.databases))
    for (const text of database.secrets()) secrets.add(text);
  // Both: the one that is not in force is shown as well.
  for (const url of [process.env['MILLRACE_STORE_URL'], config.store])
    for (const text of passwordsIn(url ?? '')) secrets.add(text);
  return [...new Set([...secrets].flatMap(writtenForms))]
    .filter(text => text.length >= shortestMask)
    .sort((a, b) => b.length - a.length);
}

/**
 * The passwords in a URL, as they are written and as they are meant. It need not be one that the store takes: a password
 * with an `@` or `/` that should have been written as %40 or %2F is no less secret, and libpq allows URLs without a host.
 */
function passwordsIn(url: string): readonly string[] {
  const patterns = [/:\/\/[^:@/?#]*:([^@]*)@/, /:\/\/[^:@/?#]*:(.*)@/s];
  const parameters = new URLSearchParams(/\?(.*)/s.exec(url)?.[1]);
  const found = [
    ...patterns.map(pattern => pattern.exec(url)?.[1]),
    ...['password', 'sslpassword'].map(name => parameters.get(name)),
  ];
  return found.flatMap(text => (typeof text === 'string' && text !== '' ? [text, decoded(text)] : []));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone % stands for itself.
  }
}

/** A text as it is, and as it stands in a URL, in JSON, in SQL and on a shell's command line. */
function writtenForms(text: string): readonly string[] {
  return [
    text,
    encodeURIComponent(text.toWellFormed()),
    JSON.stringify(text).slice(1, -1),
    text.replaceAll("'", "''"),
    text.replaceAll("'", `'\\''`),
  ];
}

/** A function that replaces every secret by `***`. */
export function masker(secrets: readonly string[]): (text: string) => string {
  return text => secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text);
}
