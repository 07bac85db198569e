/**
 * Output of a run, of a node or of an attempt, with its tools: search, errors, follow.
 *
 * Keys: Ctrl+F search, F3 and Shift+F3 next and previous match, F8 and Shift+F8 next and previous error.
 */
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { formatCount, plural } from '../../runner/format.ts';
import type { NodePath } from '../../runner/model.ts';
import type { OutputRecord } from '../../runner/records.ts';
import { useAction, usePage } from '../page.ts';
import { Failure, Loading, StoreAway } from '../parts/page-states.tsx';
import { type LogControl, LogView } from './log-view.tsx';
import { findErrorBlock } from './next-error.ts';
import { OutputModel } from './output-model.ts';
import { OutputTools } from './output-tools.tsx';
import { lowerBound, matchBefore, matchFrom, type OutputSearch } from './search.ts';

export interface OutputScope {
  readonly runId: number;
  readonly path?: NodePath;
  readonly nodeRunId?: number;
}

export interface OutputViewProps {
  readonly scope: OutputScope;
  /** As in `Output of a / b`. */
  readonly label: string;
  readonly pipelinePath: NodePath;
  /** Whether lines may still be added. */
  readonly isLive: boolean;
  /** A click on the node of a line. */
  readonly onNode: (record: OutputRecord) => void;
}

/** What the clipboard is given at most. */
const MAX_COPIED = 20_000;

export function OutputView({ scope, label, pipelinePath, isLive, onNode }: OutputViewProps) {
  const { connection, store } = usePage();
  const act = useAction();
  const [, redraw] = useReducer<number, undefined>(count => count + 1, 0);
  const [errorsOnly, setErrorsOnly] = useState(false);
  const [isFollowing, setFollowing] = useState(isLive);
  const [text, setText] = useState('');
  const [current, setCurrent] = useState<number | null>(null);
  const [note, setNote] = useState('');
  const control = useRef<LogControl | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const { runId, path, nodeRunId } = scope;
  const key = JSON.stringify([runId, path ?? null, nodeRunId ?? null, errorsOnly]);
  const model = useMemo(
    () =>
      new OutputModel(connection, {
        runId,
        ...(path !== undefined && { path }),
        ...(nodeRunId !== undefined && { nodeRunId }),
        ...(errorsOnly && { errorsOnly: true }),
      }),
    [connection, key],
  );
  useLayoutEffect(() => {
    const end = model.subscribe(() => {
      redraw(undefined);
    });
    model.open();
    setCurrent(null);
    setNote('');
    return () => {
      end();
      model.close();
    };
  }, [model]);

  const { state, extent, search } = model;
  // Typing goes on while the service looks.
  useEffect(() => {
    const timer = setTimeout(
      () => {
        search.start(text, model.extent.lines);
      },
      text === '' ? 0 : 120,
    );
    return () => {
      clearTimeout(timer);
    };
  }, [text, model]);

  // The first match at or below what is seen, as soon as it is known.
  const shownFor = useRef('');
  const firstKnown = search.matches.length > 0;
  useEffect(() => {
    if (search.text === shownFor.current) return;
    if (search.text === '') {
      shownFor.current = '';
      setCurrent(null);
    } else if (firstKnown && !isFollowing) {
      shownFor.current = search.text;
      show(search.matches[matchFrom(search.matches, control.current?.top ?? 0)] ?? null);
    }
  });

  const show = (index: number | null): void => {
    if (index === null) return;
    setCurrent(index);
    control.current?.reveal(index);
  };
  const goToMatch = (direction: 'next' | 'previous'): void => {
    const { matches } = search;
    const from = current ?? (isFollowing ? extent.lines : (control.current?.top ?? 0));
    const at =
      direction === 'previous'
        ? matchBefore(matches, from)
        : matchFrom(matches, current === null ? from : from + 1);
    shownFor.current = search.text;
    show(matches[at] ?? null);
  };
  const goToError = (direction: 'next' | 'previous'): void => {
    findErrorBlock(model, current, direction).then(
      found => {
        setNote(
          found === null
            ? 'no errors'
            : found.isWrapped
              ? `continued from the ${direction === 'next' ? 'start' : 'end'}`
              : '',
        );
        show(found?.index ?? null);
      },
      (error: unknown) => {
        connection.fault(error);
      },
    );
  };
  const copy = (): void => {
    const selected = window.getSelection()?.toString() ?? '';
    if (selected !== '') {
      act({ kind: 'copy', text: selected });
      setNote('selection copied');
      return;
    }
    model.text(MAX_COPIED).then(
      all => {
        act({ kind: 'copy', text: all });
        setNote(extent.lines > MAX_COPIED ? `the first ${formatCount(MAX_COPIED)} lines copied` : 'copied');
      },
      (error: unknown) => {
        setNote(error instanceof Error ? error.message : String(error));
      },
    );
  };
  const openDocument = (): void => {
    act({
      kind: 'openOutput',
      runId,
      ...(path !== undefined && { path }),
      ...(nodeRunId !== undefined && { nodeRunId }),
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'F8') goToError(event.shiftKey ? 'previous' : 'next');
    else if (event.key === 'F3') goToMatch(event.shiftKey ? 'previous' : 'next');
    else if (event.key.toLowerCase() === 'f' && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
      field.current?.focus();
      field.current?.select();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div class="output" onKeyDown={onKeyDown}>
      <OutputTools
        text={text}
        onText={setText}
        count={matchCount(text, search, current)}
        hasMatches={search.matches.length > 0}
        onMatch={goToMatch}
        field={element => {
          field.current = element;
        }}
        errors={extent.errors}
        errorsOnly={errorsOnly}
        onErrorsOnly={setErrorsOnly}
        onNextError={() => {
          goToError('next');
        }}
        isLive={isLive}
        isFollowing={isFollowing}
        onFollow={setFollowing}
        onOpen={openDocument}
        onCopy={copy}
        maxCopied={MAX_COPIED}
      />
      {state.kind === 'failed' ? (
        state.code === 'store' ? (
          <StoreAway
            message={state.message}
            {...(store.kind === 'unreachable' && { detail: store.detail })}
          />
        ) : (
          <Failure
            title={
              state.code === 'notFound'
                ? 'This output is not there any more'
                : 'Millrace could not read the output'
            }
            detail={state.message}
            actions={[
              {
                title: 'Try again',
                run: () => {
                  model.reopen();
                },
              },
            ]}
          />
        )
      ) : null}
      {state.kind === 'opening' && extent.lines === 0 ? <Loading what="output" /> : null}
      {state.kind === 'open' && extent.lines === 0 ? (
        <p class="output-empty">
          {errorsOnly
            ? 'No error lines'
            : isLive || !extent.complete
              ? 'No output yet'
              : 'There is no output'}
        </p>
      ) : null}
      {extent.lines === 0 ? null : (
        <LogView
          key={key}
          model={model}
          label={label}
          pipelinePath={pipelinePath}
          search={search.text}
          current={current}
          isFollowing={isFollowing}
          onFollow={setFollowing}
          control={control}
          act={act}
          onNode={onNode}
          onOpenDocument={openDocument}
        />
      )}
      <div class="output-foot">
        <span class="figures">
          {errorsOnly ? plural(extent.lines, 'error line') : plural(extent.lines, 'line')}
          {state.kind === 'open' && !extent.complete ? ' so far, counting…' : ''}
        </span>
        <span role="status">{note !== '' ? note : isLive && isFollowing ? 'following' : ''}</span>
      </div>
    </div>
  );
}

/** As `4 of 12`, `12+` while it still looks. */
function matchCount(text: string, search: OutputSearch, current: number | null): string | undefined {
  if (text === '') return undefined;
  const { matches, isBusy } = search;
  if (search.text !== text || (matches.length === 0 && isBusy)) return '…';
  if (matches.length === 0) return 'no match';
  const count = `${formatCount(matches.length)}${isBusy || search.isCut ? '+' : ''}`;
  const at = current === null ? -1 : lowerBound(matches, current);
  return at >= 0 && matches[at] === current ? `${formatCount(at + 1)} of ${count}` : count;
}
