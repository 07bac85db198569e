/** A state: icon, and a word. */
import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';
import { type ShownState, stateIcon, stateWord } from './states.ts';

/** The icon alone; its word is its label. */
export function StatusIcon({ state }: { state: ShownState }) {
  return <Icon name={stateIcon(state)} label={stateWord(state)} class={`coloured state-${state}`} />;
}

/** Icon and word; `children` instead of the word where more is to say. */
export function Status({ state, children }: { state: ShownState; children?: ComponentChildren }) {
  return (
    <span class={`status state-${state}`}>
      <Icon name={stateIcon(state)} class="coloured" />
      <span>{children ?? stateWord(state)}</span>
    </span>
  );
}
