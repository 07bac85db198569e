/** Texts that must not be shown: passwords of databases and what the project names itself. */
import { postgres } from '../api/databases.ts';
import type { EffectiveConfig } from '../loader/config.ts';

/** Shorter texts would mask half of every line. */
const shortestMask = 4;

/** Every secret of a configuration, longest first, so that a secret inside another one leaves no rest. */
export function secretsOf(config: Pick<EffectiveConfig, 'databases' | 'passwordMasks' | 'store'>): string[] {
  const secrets = new Set(config.passwordMasks);
  for (const database of Object.values(config.databases))
    for (const text of database.secrets()) secrets.add(text);
  const store = process.env['MILLRACE_STORE_URL'] ?? config.store;
  // What is no URL is refused when the store is opened.
  if (store !== undefined && URL.canParse(store))
    for (const text of postgres({ url: store }).secrets()) secrets.add(text);
  return [...new Set([...secrets].flatMap(writtenForms))]
    .filter(text => text.length >= shortestMask)
    .sort((a, b) => b.length - a.length);
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
