/** What VS Code has to load before the extension is active. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { temporaryFolder } from '../support/temp.ts';

/** The part of esbuild's account that matters here. */
interface Metafile {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly bytes: number;
        readonly inputs: Readonly<Record<string, unknown>>;
        readonly imports: readonly { readonly path: string }[];
      }
    >
  >;
}
interface Build {
  readonly buildInto: (directory: string, parts: readonly string[]) => Promise<readonly Metafile[]>;
}

const build = new URL('../../scripts/build.mjs', import.meta.url).href;

describe('the bundle of the extension', () => {
  it('holds what activation needs and no library, in at most 125 kB', async () => {
    await using folder = await temporaryFolder();
    const { buildInto } = (await import(build)) as Build;
    const [metafile] = await buildInto(folder.path, ['extension']);
    const [, output] =
      Object.entries(metafile?.outputs ?? {}).find(([path]) => path.endsWith('/extension.cjs')) ?? [];
    assert.ok(output !== undefined);
    const sources = Object.keys(output.inputs);
    const foreign = sources.filter(
      path =>
        !/^(?:extension|runner)\//.test(path) ||
        /^(?:extension\/analysis|runner\/\w+)\/(?!protocol\.ts)/.test(path),
    );
    assert.deepEqual(foreign, []);
    // Files beside it are loaded when something needs them.
    const apart = [...new Set(output.imports.map(({ path }) => path))].filter(path => path.startsWith('.'));
    assert.deepEqual(apart.toSorted(), ['./language-client.cjs', './page-message.cjs']);
    assert.ok(output.bytes <= 125_000, `${String(output.bytes)} bytes`);
  });
});
