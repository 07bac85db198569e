/** The page of a node: dist/webview/node-page.js. */
import { loadRenderer } from '../../graph/renderer.ts';
import { startPage } from '../../start.tsx';
import { NodePage } from './node-page.tsx';

loadRenderer().catch(() => {
  // Whoever draws with it says so.
});
startPage(NodePage);
