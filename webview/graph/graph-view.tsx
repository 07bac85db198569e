/** The picture of a pipeline with everything that one can do with it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatCount } from '../../runner/format.ts';
import { formatPath } from '../../runner/model.ts';
import { messageOf } from '../connection.ts';
import type { Neighbour, PageNode } from '../messages.ts';
import { useAction, usePage } from '../page.ts';
import { Menu, Tool } from '../parts/buttons.tsx';
import { SearchField } from '../parts/fields.tsx';
import { Section } from '../parts/page-frame.tsx';
import { Failure, Loading, PageState } from '../parts/page-states.tsx';
import { svgFile } from './export.ts';
import type { Face } from './faces.ts';
import { type Focus, focusAtFirst, FocusNote } from './focus.tsx';
import { Legend } from './legend.tsx';
import { mermaidText } from './mermaid-text.ts';
import {
  allNodes,
  buildGraph,
  collapsedAtFirst,
  countNodes,
  type GraphModel,
  type GraphNode,
  manyNodes,
  pipelinesBelow,
  walk,
} from './model.ts';
import { firstZoom, fitZoom, frameToClose, isReadable, limitZoom } from './navigate.ts';
import { Overview } from './overview.tsx';
import { type GraphHandle, loadRenderer } from './renderer.ts';
import { placeOf } from './svg.ts';
import { useGraphKeys, useGraphPointer } from './use-graph-input.ts';

export interface GraphViewProps {
  readonly root: PageNode;
  readonly upstreams: readonly Neighbour[];
  readonly downstreams: readonly Neighbour[];
  readonly isNarrow: boolean;
  readonly note: ComponentChildren;
  /** How a node looks now. */
  readonly faceOf: (node: GraphNode) => Face;
  /** Changes whenever a face may have changed. */
  readonly facesVersion: unknown;
}

type Drawing =
  | { readonly kind: 'drawing' }
  | { readonly kind: 'drawn'; readonly handle: GraphHandle }
  | { readonly kind: 'failed'; readonly message: string };

export function GraphView(props: GraphViewProps) {
  const { root, upstreams, downstreams, isNarrow, faceOf, facesVersion } = props;
  const { connection } = usePage();
  const act = useAction();
  const canvas = useRef<HTMLDivElement>(null);
  const holder = useRef<HTMLDivElement>(null);
  /** The node that had the focus in the picture before this one. */
  const focusedBefore = useRef<string | null>(null);
  const [drawing, setDrawing] = useState<Drawing>({ kind: 'drawing' });
  const [zoom, setZoom] = useState<number | null>(null);
  const [query, setQuery] = useState('');
  const [match, setMatch] = useState(0);

  const [toggled, setToggled] = useState<ReadonlySet<string> | null>(null);
  /** Closed at first, so that the picture is no wider than the page. */
  const [closedToFit, setClosedToFit] = useState<readonly string[]>([]);
  const collapsed = useMemo(
    () => toggled ?? new Set([...collapsedAtFirst(root, isNarrow), ...closedToFit]),
    [toggled, root, isNarrow, closedToFit],
  );
  const isWide = root.nodes.length > manyNodes;
  const [chosenFocus, setFocus] = useState<Focus>(null);
  const firstFocus = isWide && chosenFocus === null ? focusAtFirst(root) : null;
  const focusId = chosenFocus === null ? firstFocus : 'all' in chosenFocus ? null : chosenFocus.id;
  const focus =
    focusId !== null && root.nodes.some(({ id }) => id === focusId) ? { id: focusId, reach: 2 } : null;

  const built = useMemo(
    () => buildGraph(root, { collapsed, focus, upstreams, downstreams }),
    [root, collapsed, focusId, upstreams, downstreams],
  );
  // A picture is drawn again only when its structure is another one.
  const structure = JSON.stringify(built);
  const model = useMemo<GraphModel>(() => built, [structure]);

  useEffect(() => {
    let isCurrent = true;
    loadRenderer()
      .then(render => render(model))
      .then(
        handle => {
          if (isCurrent) setDrawing({ kind: 'drawn', handle });
        },
        (error: unknown) => {
          connection.fault(error);
          if (isCurrent) setDrawing({ kind: 'failed', message: messageOf(error) });
        },
      );
    return () => {
      isCurrent = false;
    };
  }, [model, connection]);

  const handle = drawing.kind === 'drawn' ? drawing.handle : null;
  useLayoutEffect(() => {
    if (handle === null || holder.current === null) return;
    const room = canvas.current?.clientWidth ?? handle.width;
    if (zoom === null && toggled === null && !isReadable(handle, room)) {
      const frame = frameToClose(model.nodes, key => placeOf(handle.elementOf(key)));
      if (frame !== null) {
        setClosedToFit([...closedToFit, frame]);
        return;
      }
    }
    const focused = document.activeElement;
    if (focused instanceof SVGElement && holder.current.contains(focused))
      focusedBefore.current = focused.dataset['key'] ?? null;
    holder.current.replaceChildren(handle.svg);
    setZoom(before => before ?? firstZoom(handle, room));
  }, [handle]);
  useLayoutEffect(() => {
    if (handle === null) return;
    handle.setFaces(new Map([...allNodes(model.nodes)].map(node => [node.key, faceOf(node)])));
  }, [handle, facesVersion]);
  useLayoutEffect(() => {
    if (handle === null) return;
    const scale = zoom ?? 1;
    handle.svg.setAttribute('width', String(Math.round(handle.width * scale)));
    handle.svg.setAttribute('height', String(Math.round(handle.height * scale)));
  }, [handle, zoom]);
  useLayoutEffect(() => {
    handle?.svg.setAttribute('role', 'group');
    handle?.svg.setAttribute('aria-label', `Graph of ${root.id === '' ? 'all pipelines' : root.id}`);
  }, [handle, root.id]);

  const zoomTo = (next: number, at?: { readonly x: number; readonly y: number }): void => {
    const element = canvas.current;
    const before = zoom ?? 1;
    const after = limitZoom(next);
    if (element === null || after === before) return;
    const point = at ?? { x: element.clientWidth / 2, y: element.clientHeight / 2 };
    const x = (element.scrollLeft + point.x) / before;
    const y = (element.scrollTop + point.y) / before;
    setZoom(after);
    requestAnimationFrame(() => {
      element.scrollTo(x * after - point.x, y * after - point.y);
    });
  };
  const fit = (): void => {
    const element = canvas.current;
    if (element === null || handle === null) return;
    setZoom(
      fitZoom(handle, { width: element.clientWidth, height: Math.min(window.innerHeight * 0.85, 880) - 16 }),
    );
  };
  const toggle = (key: string): void => {
    const next = new Set(collapsed);
    if (!next.delete(key)) next.add(key);
    setToggled(next);
  };

  const nodesByKey = useMemo(
    () => new Map([...allNodes(model.nodes)].map(node => [node.key, node])),
    [model],
  );
  const open = (key: string, withCtrl: boolean): void => {
    const node = nodesByKey.get(key);
    if (node === undefined || node.kind === 'stub') return;
    act(withCtrl ? { kind: 'openSource', path: node.path } : { kind: 'openNode', path: node.path });
  };
  const { select } = useGraphKeys({
    focusedBefore,
    handle,
    nodesByKey,
    open,
    toggle,
    zoomTo: step => {
      zoomTo((zoom ?? 1) * step);
    },
  });
  useGraphPointer({
    canvas,
    handle,
    model,
    open,
    toggle,
    zoomTo: (factor, at) => {
      zoomTo((zoom ?? 1) * factor, at);
    },
  });

  const matches = useMemo(() => findNodes(root, query), [root, query]);
  const found = matches[matches.length === 0 ? 0 : match % matches.length];
  useEffect(() => {
    setMatch(0);
  }, [query]);
  useEffect(() => {
    if (found === undefined) return;
    // Opens what it is in, and comes to it where only a part is shown.
    const inside = found.path.slice(root.path.length);
    const closed = inside
      .slice(0, -1)
      .map((_, index) => formatPath([...root.path, ...inside.slice(0, index + 1)]));
    if (closed.some(key => collapsed.has(key)))
      setToggled(new Set([...collapsed].filter(key => !closed.includes(key))));
    if (focus !== null && inside[0] !== undefined && !nodesByKey.has(formatPath([...root.path, inside[0]])))
      setFocus({ id: inside[0] });
  }, [found]);
  useEffect(() => {
    const key = found === undefined ? null : formatPath(found.path);
    const element = key === null ? null : (handle?.elementOf(key) ?? null);
    element?.classList.add('found');
    element?.scrollIntoView({ block: 'nearest', inline: 'center' });
    if (key !== null) select(key);
    return () => {
      element?.classList.remove('found');
    };
  }, [found, handle]);

  const pipelines = useMemo(() => pipelinesBelow(root), [root]);
  const isAllOpen = pipelines.every(key => !collapsed.has(key));
  const name = root.path.at(-1) ?? 'pipelines';
  return (
    <Section
      id="graph"
      title="Graph"
      note={props.note}
      tools={
        <>
          <SearchField
            label="Find node"
            value={query}
            count={
              query === ''
                ? undefined
                : matches.length === 0
                  ? 'none'
                  : `${String((match % matches.length) + 1)} of ${formatCount(matches.length)}`
            }
            onChange={setQuery}
            onNext={() => {
              setMatch(match + 1);
            }}
            onPrevious={() => {
              setMatch(match + matches.length - 1);
            }}
          />
          <span class="divider" />
          <Tool
            icon="zoom-out"
            label="Smaller"
            onPress={() => {
              zoomTo((zoom ?? 1) / 1.25);
            }}
          />
          <button
            type="button"
            class="tool figures"
            title="Actual size"
            onClick={() => {
              zoomTo(1);
            }}
          >
            {Math.round((zoom ?? 1) * 100)} %
          </button>
          <Tool
            icon="zoom-in"
            label="Larger"
            onPress={() => {
              zoomTo((zoom ?? 1) * 1.25);
            }}
          />
          <Tool icon="screen-full" label="Fit" onPress={fit} />
          <span class="divider" />
          {pipelines.length === 0 ? null : (
            <Tool
              icon={isAllOpen ? 'collapse-all' : 'expand-all'}
              label={isAllOpen ? 'Close all pipelines' : 'Open all pipelines'}
              onPress={() => {
                setToggled(new Set(isAllOpen ? pipelines : []));
              }}
            />
          )}
          <Menu
            icon="export"
            label="Export"
            items={[
              {
                icon: 'file-media',
                title: 'Save as SVG…',
                reason: handle === null ? 'The graph is not drawn yet.' : undefined,
                run: () => {
                  if (handle !== null) act({ kind: 'save', name: `${name}.svg`, text: svgFile(handle.svg) });
                },
              },
              {
                icon: 'markdown',
                title: 'Open as Mermaid text',
                run: () => {
                  act({ kind: 'openText', language: 'mermaid', text: mermaidText(model, { titles: true }) });
                },
              },
              {
                icon: 'copy',
                title: 'Copy as Mermaid text',
                run: () => {
                  act({ kind: 'copy', text: mermaidText(model, { titles: true }) });
                },
              },
            ]}
          />
        </>
      }
    >
      {focus !== null || isWide ? (
        <FocusNote root={root} focus={focus?.id ?? null} shown={model.nodes.length} onFocus={setFocus} />
      ) : null}
      {drawing.kind === 'failed' ? (
        <Failure
          title="The graph could not be drawn; the table of nodes below shows the same nodes"
          detail={drawing.message}
        />
      ) : null}
      {root.nodes.length === 0 ? (
        <PageState
          icon="type-hierarchy-sub"
          title="This pipeline has no nodes yet"
          detail="Add a task in its file: it appears here as you type."
        />
      ) : (
        <div class="graph-outer">
          {drawing.kind === 'drawing' ? <Loading what="the graph" /> : null}
          <div class="graph-canvas" ref={canvas} hidden={drawing.kind !== 'drawn'}>
            <div class="graph-holder" ref={holder} />
          </div>
          {handle === null ? null : (
            <Overview canvas={canvas} handle={handle} zoom={zoom ?? 1} version={facesVersion} />
          )}
        </div>
      )}
      <Legend model={model} faceOf={faceOf} />
    </Section>
  );
}

/** Nodes whose id contains a text, in the order in which they are declared. */
function findNodes(root: PageNode, query: string): readonly PageNode[] {
  const text = query.trim().toLowerCase();
  if (text === '' || countNodes(root) === 1) return [];
  return [...walk(root)].slice(1).filter(({ id }) => id.toLowerCase().includes(text));
}
