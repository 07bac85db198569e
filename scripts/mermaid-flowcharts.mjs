/** Has esbuild leave out what Mermaid would load for other diagrams than flowcharts: 4.5 MB that no page asks for. */
import { basename } from 'node:path';

/** What pages need of all that Mermaid loads later: their layout is their own. */
const needed = /^flowDiagram-/;

export const onlyFlowcharts = {
  name: 'only flowcharts of Mermaid',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /./ }, ({ kind, path, importer }) =>
      kind === 'dynamic-import' && /[\\/]mermaid[\\/]dist[\\/]/.test(importer) && !needed.test(basename(path))
        ? { path: 'left-out', namespace: 'mermaid' }
        : null,
    );
    onLoad({ filter: /./, namespace: 'mermaid' }, () => ({
      contents: "throw new Error('Of Mermaid, these pages have flowcharts only')",
    }));
  },
};
