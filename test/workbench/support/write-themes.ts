/**
 * Writes test/fixtures/themes/ anew from a real workbench: what it gives to a webview in each kind of theme.
 *
 *   node test/workbench/support/write-themes.ts
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { temporaryFolder } from '../../support/temp.ts';
import { waitUntil } from '../../support/wait.ts';
import { launchBrowser } from './browser.ts';
import { startServer } from './server.ts';
import { themeClasses, themeFile, themeKinds, themeNames, type WebviewTheme } from './themes.ts';

await using folder = await temporaryFolder({ 'package.json': '{}', 'page.md': '# Webview\n' });
await using server = await startServer({
  settings: { 'workbench.editorAssociations': { '*.md': 'vscode.markdown.preview.editor' } },
});
await using browser = await launchBrowser();
const page = await browser.newPage();
await page.goto(server.address({ folder: folder.path, file: `${folder.path}/page.md` }));
const frame = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
const body = frame.locator('body');
await body.getByText('Webview').first().waitFor();
for (const kind of themeKinds) {
  await server.changeSettings({ 'workbench.colorTheme': themeNames.newest[kind] });
  await waitUntil(
    async () => (await body.getAttribute('class'))?.split(' ').includes(themeClasses[kind]) === true,
  );
  const theme = await body.evaluate((element): WebviewTheme => {
    const { style } = document.documentElement;
    return {
      body: {
        // Without the classes of the Markdown preview.
        class: [...element.classList].filter(name => /^vscode-(?!body)/.test(name)).join(' '),
        ...Object.fromEntries(
          [...element.attributes]
            .filter(({ name }) => name.startsWith('data-vscode-theme'))
            .map(({ name, value }) => [name, value]),
        ),
      },
      variables: Object.fromEntries(
        [...style]
          .filter(name => /^--(vscode|monaco|text-link)-/.test(name))
          .sort()
          .map(name => [name, style.getPropertyValue(name)]),
      ),
      defaultStyles: document.getElementById('_defaultStyles')?.textContent ?? '',
    };
  });
  const file = themeFile(kind);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(theme, null, 2)}\n`);
  process.stdout.write(`${file}: ${Object.keys(theme.variables).length} variables\n`);
}
