/** What the forms in a picture mean: only those that are in it. */
import { Icon } from '../parts/icon.tsx';
import { kindIcon, kindName } from '../parts/kinds.ts';
import { type ShownState, stateIcon, stateWord } from '../parts/states.ts';
import type { Face } from './faces.ts';
import { allNodes, type GraphEdge, type GraphModel, type GraphNode } from './model.ts';

const states: readonly ShownState[] = [
  'succeeded',
  'unchanged',
  'failed',
  'running',
  'waiting',
  'queued',
  'skipped',
  'cancelled',
  'lost',
  'none',
];
const kinds = ['task', 'parallel', 'pipeline', 'dynamic'] as const;
const edges = ['depends', 'implied', 'stub'] as const;

export function Legend({ model, faceOf }: { model: GraphModel; faceOf: (node: GraphNode) => Face }) {
  const nodes = [...allNodes(model.nodes)].filter(node => node.kind !== 'stub');
  const shownStates = new Set(nodes.map(node => faceOf(node).state));
  const shownKinds = new Set(nodes.map(node => node.kind));
  const shownEdges = new Set(model.edges.map(edge => edge.kind));
  if (nodes.length === 0) return null;
  return (
    <ul class="legend" aria-label="Legend">
      {states
        .filter(state => shownStates.has(state))
        .map(state => (
          <li key={state} class={`state-${state}`}>
            <svg width="20" height="12" aria-hidden="true">
              <g class={`graph-node state-${state}`}>
                <rect class="box" x="1" y="1" width="18" height="10" rx="2" />
              </g>
            </svg>
            {state === 'none' ? null : <Icon name={stateIcon(state).replace('~spin', '')} class="coloured" />}
            {stateWord(state)}
          </li>
        ))}
      {kinds
        .filter(kind => shownKinds.has(kind))
        .map(kind => (
          <li key={kind}>
            <Icon name={kindIcon(kind)} />
            {kindName(kind)}
          </li>
        ))}
      {edges
        .filter(kind => shownEdges.has(kind))
        .map(kind => (
          <li key={kind}>
            <svg width="28" height="8" aria-hidden="true">
              <path class={`graph-edge ${kind}`} d="M0 4h28" />
            </svg>
            {edgeName(kind)}
          </li>
        ))}
    </ul>
  );
}

function edgeName(kind: GraphEdge['kind']): string {
  switch (kind) {
    case 'depends':
      return 'depends on';
    case 'implied':
      return 'implied';
    case 'stub':
      return 'leaves the graph';
  }
}
