/**
 * Screenshots to look through: test/.artifacts/gallery/<subject>/<name>.<theme>.png, and index.html that shows each
 * subject in all themes side by side.
 */
import { existsSync, globSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import { themeKinds, type ThemeKind } from './themes.ts';

export const galleryDirectory = fileURLToPath(new URL('../../.artifacts/gallery/', import.meta.url));

/** @param name for example `run-page/failed`: what is seen, without the theme. @returns the file */
export async function takePicture(what: Page | Locator, name: string, theme: ThemeKind): Promise<string> {
  const file = join(galleryDirectory, `${name}.${theme}.png`);
  await mkdir(dirname(file), { recursive: true });
  await what.screenshot({ path: file, animations: 'disabled', caret: 'hide' });
  return file;
}

/** A picture of the moment in which a test failed; says where it is. */
export async function pictureOfFailure(page: Page, title: string): Promise<void> {
  const name = title.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 100);
  const file = join(dirname(galleryDirectory.replace(/[/\\]$/, '')), 'failures', `${name}.png`);
  try {
    await page.screenshot({ path: file });
    process.stdout.write(`\npicture: ${file}\n`);
  } catch (error) {
    // The page may be what failed.
    process.stdout.write(`\nno picture of the failure: ${String(error)}\n`);
  }
}

export async function emptyGallery(): Promise<void> {
  await rm(galleryDirectory, { recursive: true, force: true });
}

/** Writes index.html over what is there. @returns the file; `null` when there is no picture */
export async function writeGalleryIndex(): Promise<string | null> {
  if (!existsSync(galleryDirectory)) return null;
  const pictures = globSync('**/*.png', { cwd: galleryDirectory }).sort();
  if (pictures.length === 0) return null;
  const names = [...new Set(pictures.map(file => file.replace(/\.[^.]+\.png$/, '')))];
  const rows = names.map(name => {
    const cells = themeKinds.map(theme => {
      const file = `${name}.${theme}.png`;
      return pictures.includes(file)
        ? `<td><a href="${file}"><img src="${file}" alt="${basename(name)}, ${theme}" loading="lazy"></a></td>`
        : '<td></td>';
    });
    return `<tr><th>${name}</th>${cells.join('')}</tr>`;
  });
  const file = join(galleryDirectory, 'index.html');
  await writeFile(
    file,
    `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Millrace: gallery</title><style>
body { font: 13px system-ui; margin: 16px; background: #888; color: #fff }
th { text-align: left; vertical-align: top; padding: 8px } td { padding: 8px } img { width: 560px; display: block }
</style></head><body><table>
<tr><th></th>${themeKinds.map(theme => `<th>${theme}</th>`).join('')}</tr>
${rows.join('\n')}
</table></body></html>
`,
  );
  return file;
}

if (import.meta.main) {
  if (process.argv[2] === 'empty') await emptyGallery();
  else {
    const file = await writeGalleryIndex();
    if (file !== null) process.stdout.write(`gallery: ${file}\n`);
  }
}
