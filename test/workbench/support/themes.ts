/** The four kinds of themes that a page must look right in. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { VscodeVersion } from './vscode.ts';

export const themeKinds = ['dark', 'light', 'hc-dark', 'hc-light'] as const;
export type ThemeKind = (typeof themeKinds)[number];

/** The setting `workbench.colorTheme` for each: what a user of this version sees who has chosen nothing. */
export const themeNames: Readonly<Record<VscodeVersion, Readonly<Record<ThemeKind, string>>>> = {
  newest: {
    dark: 'Dark 2026',
    light: 'Light 2026',
    'hc-dark': 'Default High Contrast',
    'hc-light': 'Default High Contrast Light',
  },
  oldest: {
    dark: 'Default Dark Modern',
    light: 'Default Light Modern',
    'hc-dark': 'Default High Contrast',
    'hc-light': 'Default High Contrast Light',
  },
};

/** The class that VS Code gives to the body of a webview. */
export const themeClasses: Readonly<Record<ThemeKind, string>> = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  'hc-dark': 'vscode-high-contrast',
  'hc-light': 'vscode-high-contrast-light',
};

/** What VS Code gives to a webview: written by `node test/workbench/support/write-themes.ts` from a real one. */
export interface WebviewTheme {
  /** `class` and `data-…` of the body. */
  readonly body: Readonly<Record<string, string>>;
  /** Custom properties of the root element. */
  readonly variables: Readonly<Record<string, string>>;
  /** The style sheet that VS Code puts before those of the page. */
  readonly defaultStyles: string;
}

export function themeFile(kind: ThemeKind): string {
  return fileURLToPath(new URL(`../../fixtures/themes/${kind}.json`, import.meta.url));
}

export function webviewTheme(kind: ThemeKind): WebviewTheme {
  return JSON.parse(readFileSync(themeFile(kind), 'utf8')) as WebviewTheme;
}
