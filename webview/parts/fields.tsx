/** What can be filled in. */
import type { Ref } from 'preact';
import { useRef } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** A field to look for something. Enter and Shift+Enter go on and back, Escape empties it. */
export function SearchField({
  label,
  value,
  count,
  width = 160,
  inputRef,
  onChange,
  onNext,
  onPrevious,
}: {
  /** What is looked for; stands in the field while it is empty. */
  label: string;
  value: string;
  /** As in `4 of 12`. */
  count?: string | undefined;
  width?: number;
  inputRef?: Ref<HTMLInputElement>;
  onChange: (text: string) => void;
  onNext?: () => void;
  onPrevious?: () => void;
}) {
  const own = useRef<HTMLInputElement>(null);
  return (
    <span class="field search" style={{ width: `${String(width)}px` }} role="search">
      <Icon name="search" size="small" />
      <input
        ref={inputRef ?? own}
        type="text"
        spellcheck={false}
        aria-label={label}
        placeholder={label}
        value={value}
        onInput={event => {
          onChange(event.currentTarget.value);
        }}
        onKeyDown={event => {
          if (event.key === 'Enter' && event.shiftKey) onPrevious?.();
          else if (event.key === 'Enter') onNext?.();
          else if (event.key === 'Escape' && value !== '') onChange('');
          else return;
          event.preventDefault();
        }}
      />
      {count === undefined ? null : (
        <span class="count" role="status">
          {count}
        </span>
      )}
    </span>
  );
}

/** A choice of one. */
export function Select<Value extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: Value;
  options: readonly { readonly value: Value; readonly title: string }[];
  onChange: (value: Value) => void;
}) {
  return (
    <span class="field select">
      <select
        aria-label={label}
        title={label}
        value={value}
        onChange={event => {
          const chosen = options[event.currentTarget.selectedIndex];
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {options.map(option => (
          <option key={option.value} value={option.value}>
            {option.title}
          </option>
        ))}
      </select>
      <Icon name="chevron-down" size="small" />
    </span>
  );
}

export function Checkbox({
  label,
  checked,
  mixed = false,
  focusable = true,
  onChange,
}: {
  label: string;
  checked: boolean;
  /** Some of what it stands for is checked. */
  mixed?: boolean;
  /** Whether Tab reaches it; rows of a table have keys of their own. */
  focusable?: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <input
      type="checkbox"
      class="checkbox"
      aria-label={label}
      tabIndex={focusable ? undefined : -1}
      checked={checked}
      indeterminate={mixed}
      onClick={event => {
        event.stopPropagation();
      }}
      onChange={event => {
        onChange(event.currentTarget.checked);
      }}
    />
  );
}
