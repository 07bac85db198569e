/** Temporary directories that remove themselves: `await using folder = await temporaryFolder()`. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  /** Writes files by their path relative to the folder, making directories as needed. */
  write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
}

export async function temporaryFolder(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-test-'));
  const folder: TemporaryFolder = {
    path,
    async write(entries) {
      for (const [name, content] of Object.entries(entries)) {
        const file = join(path, name);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
    },
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
    },
  };
  await folder.write(files);
  return folder;
}
