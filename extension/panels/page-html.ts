/** The document of a page, with its policy. */
import { randomBytes } from 'node:crypto';
import type { PageSubject } from '../../webview/messages.ts';

export interface PageHtmlOptions {
  readonly page: PageSubject['page'];
  readonly title: string;
  readonly language: string;
  /** Where files of dist/webview/ are, without a slash at the end. */
  readonly base: string;
  readonly cspSource: string;
  readonly nonce: string;
}

/**
 * Nothing is allowed that the page does not need: its own scripts by nonce (which what they import inherits), its own
 * style sheets and fonts, pictures of its own making. Only the page that draws graphs may have styles in its text, because
 * Mermaid writes a style sheet into every picture.
 */
export function contentSecurityPolicy({
  page,
  nonce,
  cspSource,
}: Pick<PageHtmlOptions, 'page' | 'nonce' | 'cspSource'>): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}${page === 'node' ? " 'unsafe-inline'" : ''}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource} data:`,
  ].join('; ');
}

export function pageHtml(options: PageHtmlOptions): string {
  const { page, title, language, base, nonce } = options;
  return `<!DOCTYPE html>
<html lang="${escapeHtml(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(options)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${base}/codicon.css">
<link rel="stylesheet" href="${base}/page.css">
</head>
<body>
<div id="page"></div>
<script type="module" nonce="${nonce}" src="${base}/${page}-page.js"></script>
</body>
</html>
`;
}

export function newNonce(): string {
  return randomBytes(18).toString('base64url');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${String(character.codePointAt(0))};`);
}
