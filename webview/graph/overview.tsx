/** A small picture of all of a graph with the part that is seen, where not all of it is. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { GraphHandle } from './renderer.ts';

const size = { width: 112, height: 72 };

export function Overview({
  canvas,
  handle,
  zoom,
  version,
}: {
  canvas: RefObject<HTMLDivElement | null>;
  handle: GraphHandle;
  zoom: number;
  /** Changes when states may have changed. */
  version: unknown;
}) {
  const [view, setView] = useState<{ x: number; y: number; width: number; height: number } | null>(null);
  const [boxes, setBoxes] = useState<readonly Box[]>([]);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const update = (): void => {
      const { scrollLeft: x, scrollTop: y, clientWidth: width, clientHeight: height } = element;
      const isWhole = element.scrollWidth <= width + 1 && element.scrollHeight <= height + 1;
      setView(isWhole ? null : { x: x / zoom, y: y / zoom, width: width / zoom, height: height / zoom });
    };
    const frame = requestAnimationFrame(update);
    element.addEventListener('scroll', update);
    window.addEventListener('resize', update);
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener('scroll', update);
      window.removeEventListener('resize', update);
    };
  }, [handle, zoom]);
  const isShown = view !== null;
  useEffect(() => {
    if (isShown) setBoxes(readBoxes(handle));
  }, [handle, version, isShown]);
  if (view === null) return null;

  const scale = Math.min(size.width / handle.width, size.height / handle.height);
  const go = (event: PointerEvent): void => {
    const element = canvas.current;
    if (element === null || event.buttons === 0 || !(event.currentTarget instanceof Element)) return;
    const place = event.currentTarget.getBoundingClientRect();
    const x = ((event.clientX - place.left) / scale) * zoom;
    const y = ((event.clientY - place.top) / scale) * zoom;
    element.scrollTo(x - element.clientWidth / 2, y - element.clientHeight / 2);
  };
  return (
    <svg
      class="graph-overview"
      width={handle.width * scale}
      height={handle.height * scale}
      viewBox={`0 0 ${String(handle.width)} ${String(handle.height)}`}
      aria-hidden="true"
      onPointerDown={go}
      onPointerMove={go}
    >
      {boxes.map(({ kind, ...box }, index) => (
        <rect key={index} class={kind} vector-effect="non-scaling-stroke" {...box} />
      ))}
      <rect
        class="window"
        vector-effect="non-scaling-stroke"
        x={view.x}
        y={view.y}
        width={Math.min(view.width, handle.width)}
        height={Math.min(view.height, handle.height)}
      />
    </svg>
  );
}

interface Box {
  readonly kind: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function readBoxes({ svg }: GraphHandle): readonly Box[] {
  return [...svg.querySelectorAll<SVGGElement>('.graph-node:not(.stub)')].map(group => {
    const [x = 0, y = 0] = (group.getAttribute('transform') ?? '').match(/-?[\d.]+/g)?.map(Number) ?? [];
    const state = [...group.classList].find(name => name.startsWith('state-')) ?? '';
    const width = Number(group.dataset['width']);
    const height = Number(group.dataset['height']);
    return { kind: group.classList.contains('open') ? 'frame' : state, x, y, width, height };
  });
}
