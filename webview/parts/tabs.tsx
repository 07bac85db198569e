/** Tabs, with tools at their right. */
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

export interface Tab {
  readonly id: string;
  readonly title: ComponentChildren;
}

export function Tabs({
  label,
  tabs,
  selected,
  onSelect,
  tools,
  children,
}: {
  label: string;
  tabs: readonly Tab[];
  selected: string;
  onSelect: (id: string) => void;
  tools?: ComponentChildren;
  /** What the selected tab shows. */
  children: ComponentChildren;
}) {
  const own = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.findIndex(({ id }) => id === selected);
    const next = step === undefined ? undefined : tabs.at((at + step + tabs.length) % tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    onSelect(next.id);
    list.current?.querySelectorAll('button')[tabs.indexOf(next)]?.focus();
  };
  return (
    <>
      <div class="tabs">
        <div role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
          {tabs.map(({ id, title }) => (
            <button
              key={id}
              type="button"
              role="tab"
              id={`${own}-${id}`}
              aria-selected={id === selected}
              aria-controls={`${own}-panel`}
              tabIndex={id === selected ? 0 : -1}
              onClick={() => {
                onSelect(id);
              }}
            >
              {title}
            </button>
          ))}
        </div>
        <span class="grow" />
        {tools}
      </div>
      <div role="tabpanel" id={`${own}-panel`} aria-labelledby={`${own}-${selected}`}>
        {children}
      </div>
    </>
  );
}
