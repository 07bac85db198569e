/**
 * Texts for people. Modules that know no editor word what they say by {@link t}; the editor's translations are put in at
 * activation. Every message stands in l10n/bundle.l10n.json, which `scripts/l10n.mjs` writes and `npm run check` compares.
 */
export type TextValue = string | number | boolean;
export type Translate = (message: string, ...values: TextValue[]) => string;

let translate: Translate = fillIn;

/** The message in the user's language, with `{0}`, `{1}` … replaced. Pass it a literal, so that it can be found. */
export function t(message: string, ...values: TextValue[]): string {
  return translate(message, ...values);
}

/** From now on texts come from here. */
export function useTranslations(by: Translate): void {
  translate = by;
}

/** English: the messages as they are written. */
export function fillIn(message: string, ...values: TextValue[]): string {
  return message.replace(/\{(\d+)\}/g, (whole, index: string) => String(values[Number(index)] ?? whole));
}
