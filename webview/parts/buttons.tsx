/** What can be pressed. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** One primary button per page at most. `reason`: why it is disabled; it can still be focused, so that it tells. */
export function Button({
  kind = 'secondary',
  icon,
  title,
  reason,
  onPress,
  children,
}: {
  kind?: 'primary' | 'secondary';
  icon?: string;
  title?: string | undefined;
  reason?: string | undefined;
  onPress: () => void;
  children: ComponentChildren;
}) {
  return (
    <button
      type="button"
      class={`button ${kind}${icon === undefined ? '' : ' iconed'}`}
      title={reason ?? title}
      aria-disabled={reason === undefined ? undefined : 'true'}
      onClick={() => {
        if (reason === undefined) onPress();
      }}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A tool in a row of tools: an icon, with a word where there is room. `label` says what it does. */
export function Tool({
  icon,
  label,
  word,
  pressed,
  reason,
  onPress,
}: {
  icon: string;
  label: string;
  word?: ComponentChildren;
  /** For a tool that is on or off. */
  pressed?: boolean;
  reason?: string | undefined;
  onPress: () => void;
}) {
  return (
    <button
      type="button"
      class={`tool${word === undefined ? '' : ' worded'}`}
      title={reason ?? label}
      aria-label={word === undefined ? label : undefined}
      aria-pressed={pressed}
      aria-disabled={reason === undefined ? undefined : 'true'}
      onClick={() => {
        if (reason === undefined) onPress();
      }}
    >
      <Icon name={icon} />
      {word}
    </button>
  );
}

export interface MenuItem {
  readonly icon?: string;
  readonly title: string;
  /** Why it cannot be chosen. */
  readonly reason?: string | undefined;
  readonly run: () => void;
}

/** A tool that opens a list of things to do. */
export function Menu({
  icon,
  label,
  items,
  side = 'left',
}: {
  icon: string;
  label: string;
  items: readonly MenuItem[];
  /** Where the list goes from the tool. */
  side?: 'left' | 'right';
}) {
  const [isOpen, setOpen] = useState(false);
  const holder = useRef<HTMLDivElement>(null);
  const focusTool = (): void => holder.current?.querySelector<HTMLElement>('.tool')?.focus();
  useLayoutEffect(() => {
    if (isOpen) holder.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  }, [isOpen]);
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: PointerEvent): void => {
      if (event.target instanceof Node && holder.current?.contains(event.target) !== true) setOpen(false);
    };
    document.addEventListener('pointerdown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
    };
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const buttons = [...(holder.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = buttons.findIndex(button => button === document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) buttons.at((at + step + buttons.length) % buttons.length)?.focus();
    else if (event.key === 'Home') buttons[0]?.focus();
    else if (event.key === 'End') buttons.at(-1)?.focus();
    else if (event.key === 'Escape') {
      setOpen(false);
      focusTool();
    } else if (event.key === 'Tab') {
      setOpen(false);
      return;
    } else return;
    event.preventDefault();
  };
  return (
    <div class="menu" ref={holder}>
      <button
        type="button"
        class="tool"
        title={label}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => {
          setOpen(!isOpen);
        }}
      >
        <Icon name={icon} />
      </button>
      {isOpen ? (
        <div
          class={`menu-items${side === 'right' ? ' to-right' : ''}`}
          role="menu"
          aria-label={label}
          onKeyDown={onKeyDown}
        >
          {items.map(item => (
            <button
              key={item.title}
              type="button"
              role="menuitem"
              tabIndex={-1}
              title={item.reason}
              aria-disabled={item.reason === undefined ? undefined : 'true'}
              onPointerEnter={event => {
                event.currentTarget.focus();
              }}
              onClick={() => {
                if (item.reason !== undefined) return;
                setOpen(false);
                focusTool();
                item.run();
              }}
            >
              {item.icon === undefined ? null : <Icon name={item.icon} />}
              {item.title}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  );
}
