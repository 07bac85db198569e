/**
 * What draws pictures of graphs. A picture is drawn once for its structure; what changes while a run goes on are the faces
 * of its nodes, by classes and text.
 */
import type { Face } from './faces.ts';
import type { GraphModel } from './model.ts';

export interface GraphHandle {
  readonly svg: SVGSVGElement;
  /** At its natural size, in pixels. */
  readonly width: number;
  readonly height: number;
  /** By keys of nodes; nodes that are not named stay as they are. */
  setFaces(faces: ReadonlyMap<string, Face>): void;
  elementOf(key: string): SVGGElement | null;
}

export type RenderGraph = (model: GraphModel) => Promise<GraphHandle>;

let renderer: Promise<RenderGraph> | undefined;

/** Loads what draws, once in a page. A page that is going to draw a picture asks for it while it waits for its data. */
export function loadRenderer(): Promise<RenderGraph> {
  renderer ??= import('./mermaid-renderer.ts').then(({ makeRenderer }) => makeRenderer());
  return renderer;
}
