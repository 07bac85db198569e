/** What a task waits for, and what waits for it. */
import { formatPath, type NodePath } from '../../../runner/model.ts';
import { plural } from '../../../runner/format.ts';
import { faceOf, lineOf } from '../../graph/faces.ts';
import type { GraphNode } from '../../graph/model.ts';
import type { Neighbour, NodeView } from '../../messages.ts';
import { ActionLink } from '../../parts/links.tsx';
import { Icon } from '../../parts/icon.tsx';
import { kindIcon, kindName } from '../../parts/kinds.ts';
import { Section } from '../../parts/page-frame.tsx';
import { StatusIcon } from '../../parts/status.tsx';
import type { NodeHistory } from './node-history.ts';
import { useNeighbourFigures } from './neighbour-figures.ts';

export function Neighbours({ view, history }: { view: NodeView; history: NodeHistory }) {
  const { node, upstreams, downstreams } = view;
  const figures = useNeighbourFigures(node.path);
  const faces = (neighbour: Neighbour) =>
    faceOf(
      asNode(neighbour),
      history.figuresByKey.get(formatPath(neighbour.path)) ?? figures.get(formatPath(neighbour.path)),
      history.liveNodes,
      history.now,
    );
  const own: Neighbour = { path: node.path, kind: node.kind, description: node.description };
  const column = (neighbours: readonly Neighbour[], word: string) => (
    <div class="neighbours-column">
      <span class="caption">
        {neighbours.length === 0 ? `no ${word}` : plural(neighbours.length, word)}
        {outside(neighbours, node.path)}
      </span>
      {neighbours.map(each => (
        <Box key={formatPath(each.path)} neighbour={each} face={faces(each)} />
      ))}
    </div>
  );
  return (
    <Section id="neighbours" title="Upstreams and downstreams">
      <div class="neighbours">
        {column(upstreams, 'upstream')}
        <Arrow isShown={upstreams.length > 0} />
        <div class="neighbours-column">
          <span class="caption" aria-hidden="true">
            &nbsp;
          </span>
          <Box neighbour={own} face={faces(own)} isOwn />
        </div>
        <Arrow isShown={downstreams.length > 0} />
        {column(downstreams, 'downstream')}
      </div>
    </Section>
  );
}

function Box({
  neighbour,
  face,
  isOwn = false,
}: {
  neighbour: Neighbour;
  face: ReturnType<typeof faceOf>;
  isOwn?: boolean;
}) {
  const { path, kind, description } = neighbour;
  const content = (
    <>
      <span class="neighbour-tab">
        {face.state === 'none' ? (
          <Icon name={kindIcon(kind)} label={kindName(kind)} />
        ) : (
          <StatusIcon state={face.state} />
        )}
      </span>
      <span class="neighbour-text">
        <b>{path.at(-1) ?? 'All pipelines'}</b>
        <small>
          <Icon name={kindIcon(kind)} size="small" />
          {lineOf({ ...face, error: null }, () => true)}
        </small>
      </span>
    </>
  );
  const classes = `neighbour state-${face.state}${isOwn ? ' own' : ''}`;
  return isOwn ? (
    <div class={classes}>{content}</div>
  ) : (
    <ActionLink
      class={classes}
      action={{ kind: 'openNode', path }}
      withCtrl={{ kind: 'openSource', path }}
      title={description === '' ? formatPath(path) : `${formatPath(path)}\n${description}`}
    >
      {content}
    </ActionLink>
  );
}

function Arrow({ isShown }: { isShown: boolean }) {
  return (
    <svg class="neighbours-arrow" viewBox="0 0 32 12" aria-hidden="true">
      {isShown ? (
        <>
          <path d="M0 6H26" />
          <path class="head" d="M25 2l7 4-7 4z" />
        </>
      ) : null}
    </svg>
  );
}

/** `, outside github` where none of them is in the same pipeline. */
function outside(neighbours: readonly Neighbour[], own: NodePath): string {
  const parent = own.slice(0, -1);
  const isOutside = ({ path }: Neighbour): boolean => formatPath(path.slice(0, -1)) !== formatPath(parent);
  return neighbours.length > 0 && neighbours.every(isOutside) ? `, outside ${parent.at(-1) ?? 'it'}` : '';
}

function asNode({ path, kind, description }: Neighbour): GraphNode {
  const key = formatPath(path);
  const title = path.at(-1) ?? '';
  return { id: key, key, path, kind, title, description, names: [], size: 0, isOpen: false, children: [] };
}
