/** Keys and pointer on a picture. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Rectangle } from './layout.ts';
import type { GraphModel, GraphNode } from './model.ts';
import { type Direction, nearest } from './navigate.ts';
import type { GraphHandle } from './renderer.ts';
import { placeOf } from './svg.ts';

const directions: Readonly<Record<string, Direction>> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
};

/**
 * One node can be reached by Tab; from there arrows lead on, Enter opens (Ctrl/Cmd: the source), Space opens and closes a
 * pipeline, + and - change the size.
 */
export function useGraphKeys(options: {
  /** Gets the focus back when it is in this picture as well. */
  readonly focusedBefore: RefObject<string | null>;
  readonly handle: GraphHandle | null;
  readonly nodesByKey: ReadonlyMap<string, GraphNode>;
  readonly open: (key: string, withCtrl: boolean) => void;
  readonly toggle: (key: string) => void;
  readonly zoomTo: (factor: number) => void;
}): { readonly select: (key: string) => void } {
  const latest = useRef(options);
  latest.current = options;
  const { handle, nodesByKey } = options;
  /** Kept when the picture is drawn again. */
  const current = useRef<string | null>(null);

  const select = (key: string): void => {
    const { handle: drawn } = latest.current;
    if (current.current !== null) drawn?.elementOf(current.current)?.setAttribute('tabindex', '-1');
    drawn?.elementOf(key)?.setAttribute('tabindex', '0');
    current.current = key;
  };

  useEffect(() => {
    if (handle === null) return;
    for (const [key, node] of nodesByKey) {
      const element = handle.elementOf(key);
      if (element === null || node.kind === 'stub') continue;
      element.setAttribute('tabindex', '-1');
      element.setAttribute('role', 'link');
    }
    const { focusedBefore } = latest.current;
    const before = focusedBefore.current ?? current.current;
    const first = [...nodesByKey.values()].find(node => node.kind !== 'stub');
    const key = before !== null && handle.elementOf(before) !== null ? before : first?.key;
    if (key === undefined) return;
    handle.elementOf(key)?.setAttribute('tabindex', '0');
    current.current = key;
    if (focusedBefore.current !== null) handle.elementOf(key)?.focus({ preventScroll: true });
    focusedBefore.current = null;

    const keyOf = (event: Event): string | undefined =>
      event.target instanceof Element
        ? (event.target.closest<SVGGElement>('.graph-node')?.dataset['key'] ?? undefined)
        : undefined;
    const onFocusIn = (event: FocusEvent): void => {
      const focused = keyOf(event);
      if (focused !== undefined) select(focused);
    };
    const onKeyDown = (event: KeyboardEvent): void => {
      const from = keyOf(event);
      if (from === undefined) return;
      const direction = directions[event.key];
      const node = latest.current.nodesByKey.get(from);
      if (direction !== undefined) {
        const to = nearest(boxesOf(handle, latest.current.nodesByKey), from, direction);
        const element = to === null ? null : handle.elementOf(to);
        element?.focus();
        element?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      } else if (event.key === 'Enter') latest.current.open(from, event.ctrlKey || event.metaKey);
      else if (event.key === ' ' && node?.kind === 'pipeline') latest.current.toggle(from);
      else if (event.key === '+' || event.key === '=') latest.current.zoomTo(1.25);
      else if (event.key === '-') latest.current.zoomTo(0.8);
      else return;
      event.preventDefault();
    };
    const { svg } = handle;
    svg.addEventListener('focusin', onFocusIn);
    svg.addEventListener('keydown', onKeyDown);
    return () => {
      svg.removeEventListener('focusin', onFocusIn);
      svg.removeEventListener('keydown', onKeyDown);
    };
  }, [handle, nodesByKey]);
  return { select };
}

/** Where boxes are, as they were laid out; frames are known by their titles. */
function boxesOf(handle: GraphHandle, nodes: ReadonlyMap<string, GraphNode>): ReadonlyMap<string, Rectangle> {
  const boxes = new Map<string, Rectangle>();
  for (const [key, node] of nodes) {
    const element = handle.elementOf(key);
    if (element === null || node.kind === 'stub') continue;
    const place = placeOf(element);
    boxes.set(key, node.isOpen ? { ...place, height: 24 } : place);
  }
  return boxes;
}

/** Click opens, drag moves, Ctrl/Cmd-wheel and pinch change the size; what a node depends on lights up under the pointer. */
export function useGraphPointer(options: {
  readonly canvas: RefObject<HTMLDivElement | null>;
  readonly handle: GraphHandle | null;
  readonly model: GraphModel;
  readonly open: (key: string, withCtrl: boolean) => void;
  readonly toggle: (key: string) => void;
  readonly zoomTo: (factor: number, at: { readonly x: number; readonly y: number }) => void;
}): void {
  const latest = useRef(options);
  latest.current = options;
  const { handle } = options;
  useEffect(() => {
    const canvas = latest.current.canvas.current;
    if (canvas === null || handle === null) return;
    let drag: { x: number; y: number; left: number; top: number; moved: boolean } | null = null;
    const onPointerDown = (event: PointerEvent): void => {
      if (event.button !== 0 || event.pointerType === 'touch') return;
      drag = {
        x: event.clientX,
        y: event.clientY,
        left: canvas.scrollLeft,
        top: canvas.scrollTop,
        moved: false,
      };
    };
    const onPointerMove = (event: PointerEvent): void => {
      if (drag === null || event.buttons === 0) {
        drag = null;
        return;
      }
      const dx = event.clientX - drag.x;
      const dy = event.clientY - drag.y;
      if (!drag.moved && Math.hypot(dx, dy) < 4) return;
      drag.moved = true;
      canvas.classList.add('dragged');
      canvas.scrollTo(drag.left - dx, drag.top - dy);
    };
    const onPointerUp = (): void => {
      canvas.classList.remove('dragged');
    };
    const onClick = (event: MouseEvent): void => {
      const wasDragged = drag?.moved === true;
      drag = null;
      if (wasDragged || !(event.target instanceof Element)) return;
      const group = event.target.closest<SVGGElement>('.graph-node');
      const key = group?.dataset['key'];
      if (group === null || key === undefined) return;
      if (event.target.closest('.opener') !== null) {
        latest.current.toggle(key);
        return;
      }
      // A frame is opened by its title line only: the rest of it is ground.
      const isFrame = group.classList.contains('open');
      if (isFrame && event.clientY > group.getBoundingClientRect().top + 28) return;
      latest.current.open(key, event.ctrlKey || event.metaKey);
    };
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const place = canvas.getBoundingClientRect();
      latest.current.zoomTo(Math.exp(-event.deltaY / 300), {
        x: event.clientX - place.left,
        y: event.clientY - place.top,
      });
    };
    const light = (event: PointerEvent): void => {
      const id =
        event.target instanceof Element
          ? event.target.closest<SVGGElement>('.graph-node.closed')?.dataset['node']
          : undefined;
      for (const path of handle.svg.querySelectorAll<SVGPathElement>('.graph-edge'))
        path.classList.toggle(
          'lit',
          id !== undefined && (path.dataset['from'] === id || path.dataset['to'] === id),
        );
    };
    canvas.addEventListener('pointerdown', onPointerDown);
    canvas.addEventListener('pointermove', onPointerMove);
    window.addEventListener('pointerup', onPointerUp);
    canvas.addEventListener('click', onClick);
    canvas.addEventListener('wheel', onWheel, { passive: false });
    handle.svg.addEventListener('pointerover', light);
    return () => {
      canvas.removeEventListener('pointerdown', onPointerDown);
      canvas.removeEventListener('pointermove', onPointerMove);
      window.removeEventListener('pointerup', onPointerUp);
      canvas.removeEventListener('click', onClick);
      canvas.removeEventListener('wheel', onWheel);
      handle.svg.removeEventListener('pointerover', light);
    };
  }, [handle]);
}
