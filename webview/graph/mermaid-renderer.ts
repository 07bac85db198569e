/** Draws pictures with Mermaid: a large module, which no page waits for before it has something to draw. */
import mermaid from 'mermaid';
import { boxWidths, drawGraph } from './drawing.ts';
import { layoutLoader, layoutName } from './mermaid-layout.ts';
import { mermaidText } from './mermaid-text.ts';
import type { RenderGraph } from './renderer.ts';

/** Sets Mermaid up, once in a page. */
export function makeRenderer(): RenderGraph {
  const widths = new Map<string, number>();
  mermaid.initialize({ startOnLoad: false });
  mermaid.registerLayoutLoaders([layoutLoader(widths)]);
  // Mermaid loads what it knows of flowcharts with the first one: not only when there is one to draw.
  void mermaid.parse('flowchart', { suppressErrors: true });
  let count = 0;
  return async model => {
    const style = getComputedStyle(document.body);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    mermaid.initialize({
      startOnLoad: false,
      securityLevel: 'strict',
      logLevel: 'fatal',
      layout: layoutName,
      look: 'classic',
      // Its own limits are for text of strangers; they can only be set here.
      maxEdges: 100_000,
      maxTextSize: 10_000_000,
      suppressErrorRendering: true,
      theme: 'base',
      // The picture takes its colours from our style sheet, live; these are for what Mermaid might draw itself.
      themeVariables: {
        fontFamily: style.fontFamily,
        fontSize: '12px',
        background: colour('--vscode-editor-background'),
        textColor: colour('--vscode-foreground'),
        lineColor: colour('--vscode-foreground'),
        primaryColor: colour('--vscode-editorWidget-background'),
        primaryTextColor: colour('--vscode-foreground'),
        primaryBorderColor: colour('--vscode-foreground'),
      },
      htmlLabels: false,
      flowchart: { useMaxWidth: false },
    });
    // One picture at a time: what Mermaid lays out next is this model.
    widths.clear();
    for (const [id, width] of boxWidths(model, style.fontFamily)) widths.set(id, width);
    const name = `graph-${String(++count)}`;
    const { svg: text } = await mermaid.render(name, mermaidText(model, { titles: false }));
    const holder = document.createElement('div');
    holder.innerHTML = text;
    const svg = holder.querySelector('svg');
    if (svg === null) throw new Error('Mermaid gave no picture');
    for (const attribute of ['style', 'class', 'aria-roledescription', 'role'])
      svg.removeAttribute(attribute);
    svg.classList.add('graph');
    return drawGraph(svg, model, name);
  };
}
