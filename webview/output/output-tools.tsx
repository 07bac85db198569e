/** The tools above a view on output. */
import { formatCount } from '../../runner/format.ts';
import { Tool } from '../parts/buttons.tsx';
import { SearchField } from '../parts/fields.tsx';

export interface OutputToolsProps {
  /** What is looked for. */
  readonly text: string;
  readonly onText: (text: string) => void;
  /** As in `4 of 12`. */
  readonly count: string | undefined;
  readonly hasMatches: boolean;
  readonly onMatch: (direction: 'next' | 'previous') => void;
  readonly field: (element: HTMLInputElement | null) => void;
  /** How many error lines there are. */
  readonly errors: number;
  readonly errorsOnly: boolean;
  readonly onErrorsOnly: (errorsOnly: boolean) => void;
  readonly onNextError: () => void;
  readonly isLive: boolean;
  readonly isFollowing: boolean;
  readonly onFollow: (isFollowing: boolean) => void;
  readonly onOpen: () => void;
  readonly onCopy: () => void;
  /** Lines. */
  readonly maxCopied: number;
}

export function OutputTools(props: OutputToolsProps) {
  const { text, count, hasMatches, onMatch, errors, errorsOnly, isLive, isFollowing } = props;
  const noMatch = hasMatches ? undefined : 'Nothing is found';
  const next = (): void => {
    onMatch('next');
  };
  const previous = (): void => {
    onMatch('previous');
  };
  return (
    <div class="output-tools" role="group" aria-label="Tools for output">
      <SearchField
        label="Search"
        value={text}
        width={220}
        count={count}
        inputRef={props.field}
        onChange={props.onText}
        onNext={next}
        onPrevious={previous}
      />
      <Tool icon="arrow-up" label="Previous match (Shift+F3)" reason={noMatch} onPress={previous} />
      <Tool icon="arrow-down" label="Next match (F3)" reason={noMatch} onPress={next} />
      <span class="divider" />
      <Tool
        icon="filter"
        label="Show only error lines"
        word={
          <>
            Errors only <span class="badge">{formatCount(errors)}</span>
          </>
        }
        pressed={errorsOnly}
        onPress={() => {
          props.onErrorsOnly(!errorsOnly);
        }}
      />
      <Tool
        icon="debug-step-into"
        label="Next error (F8)"
        word="Next error"
        reason={errors === 0 ? 'There are no error lines' : undefined}
        onPress={props.onNextError}
      />
      <span class="grow" />
      <Tool
        icon="arrow-circle-down"
        label={isLive ? 'Stay at the end while lines are added' : 'Go to the end'}
        word={isLive ? 'Follow' : 'To the end'}
        {...(isLive && { pressed: isFollowing })}
        onPress={() => {
          props.onFollow(isLive ? !isFollowing : true);
        }}
      />
      <Tool icon="go-to-file" label="Open as a document" onPress={props.onOpen} />
      <Tool
        icon="copy"
        label={`Copy what is selected, or everything (at most ${formatCount(props.maxCopied)} lines)`}
        onPress={props.onCopy}
      />
    </div>
  );
}
