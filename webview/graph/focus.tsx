/** Of a pipeline with very many nodes, what is around one of them. */
import { formatCount } from '../../runner/format.ts';
import type { PageNode } from '../messages.ts';
import { Button } from '../parts/buttons.tsx';

/** Around which node, or all; `null`: what is best at first. */
export type Focus = { readonly id: string } | { readonly all: true } | null;

/** Says that only a part is drawn, and draws all. */
export function FocusNote({
  root,
  focus,
  shown,
  onFocus,
}: {
  root: PageNode;
  focus: string | null;
  shown: number;
  onFocus: (focus: Focus) => void;
}) {
  const total = root.nodes.length;
  return (
    <div class="toolbar small">
      <span class="dim">
        {focus === null
          ? `All ${formatCount(total)} nodes are drawn.`
          : `${formatCount(shown)} of ${formatCount(total)} nodes: those around ${focus}. Find brings others here.`}
      </span>
      {focus === null ? (
        <Button
          onPress={() => {
            onFocus(null);
          }}
        >
          Only a part
        </Button>
      ) : (
        <Button
          onPress={() => {
            onFocus({ all: true });
          }}
        >
          Draw all {formatCount(total)}
        </Button>
      )}
    </div>
  );
}

/** The node with most edges: around it, there is most to see. */
export function focusAtFirst(root: PageNode): string | null {
  const edges = new Map<string, number>();
  for (const { id, upstreams } of root.nodes) {
    edges.set(id, (edges.get(id) ?? 0) + upstreams.length);
    for (const upstream of upstreams) edges.set(upstream, (edges.get(upstream) ?? 0) + 1);
  }
  let best: string | null = null;
  for (const { id } of root.nodes)
    if (best === null || (edges.get(id) ?? 0) > (edges.get(best) ?? 0)) best = id;
  return best;
}
