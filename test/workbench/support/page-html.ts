/** The document of one of our pages as the extension makes it, with the same policy. */

export interface PageHtmlOptions {
  /** `node-page`, `run-page` or `history-page`: dist/webview/<page>.js */
  readonly page: string;
  readonly title: string;
  readonly nonce: string;
  /** Where files of dist/webview/ are, without a slash at the end. */
  readonly base: string;
  readonly cspSource: string;
}

export function pageHtml({ page, title, nonce, base, cspSource }: PageHtmlOptions): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' ${cspSource}`,
    // Mermaid writes its style sheet into the picture.
    `style-src ${cspSource}${page === 'node-page' ? " 'unsafe-inline'" : ''}`,
    `font-src ${cspSource}`,
    `img-src ${cspSource} data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="${base}/codicon.css">
<link rel="stylesheet" href="${base}/page.css">
</head>
<body>
<div id="page"></div>
<script type="module" nonce="${nonce}" src="${base}/${page}.js"></script>
</body>
</html>
`;
}
