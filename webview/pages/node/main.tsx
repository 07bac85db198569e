/** The page of a node: dist/webview/node-page.js. */
import { startPage } from '../../start.tsx';
import { NodePage } from './node-page.tsx';

startPage(NodePage);
