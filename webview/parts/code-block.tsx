/** Code: colours, line numbers, replaced values underlined, and an error under its line. */
import { Fragment } from 'preact';
import { useMemo } from 'preact/hooks';
import { Icon } from './icon.tsx';
import { type CodeLanguage, type Mark, markTokens, type Piece, tokenize, tokenLines } from './tokens.ts';

/** An error at a place; lines count from 1, columns from 1 in UTF-16 units. */
export interface CodeFault {
  readonly line: number;
  readonly column?: number;
  /** How much of the line it is about; default: the word at the column. */
  readonly length?: number;
  readonly message: string;
}

export function CodeBlock({
  label,
  code,
  language,
  numbered = true,
  marks = new Map(),
  fault = null,
}: {
  label: string;
  code: string;
  language: CodeLanguage;
  numbered?: boolean;
  /** By line, counted from 1. */
  marks?: ReadonlyMap<number, readonly Mark[]>;
  fault?: CodeFault | null;
}) {
  const lines = useMemo(() => tokenLines(tokenize(code, language)), [code, language]);
  return (
    // Long code scrolls with the page; nothing in it takes the focus.
    <div class="code" role="group" aria-label={label}>
      {lines.map((tokens, index) => {
        const number = index + 1;
        const isFaulty = fault?.line === number;
        const text = tokens.map(token => token.text).join('');
        const own = isFaulty ? faultMarks(text, fault) : [];
        return (
          <Fragment key={number}>
            <div class={`code-line${isFaulty ? ' faulty' : ''}${numbered ? '' : ' unnumbered'}`}>
              {numbered ? (
                <span class="line-number" aria-hidden="true">
                  {number}
                </span>
              ) : null}
              <code class="line-text">
                {markTokens(tokens, own.length > 0 ? own : (marks.get(number) ?? [])).map(renderPiece)}
              </code>
            </div>
            {isFaulty ? (
              <div class="code-fault" role="note">
                <Icon name="error" label="error" class="coloured state-failed" />
                <span>{fault.message}</span>
              </div>
            ) : null}
          </Fragment>
        );
      })}
    </div>
  );
}

function renderPiece({ kind, text, mark }: Piece, index: number) {
  const classes = [kind === 'plain' ? '' : `token-${kind}`, mark?.kind ?? ''].join(' ').trim();
  if (classes === '') return text;
  return (
    <span key={index} class={classes} title={mark?.title}>
      {text}
    </span>
  );
}

function faultMarks(line: string, { column, length }: CodeFault): readonly Mark[] {
  if (column === undefined) return [];
  const start = Math.max(0, column - 1);
  const word = /^[\w.$"@]+/.exec(line.slice(start))?.[0].length ?? 1;
  return [{ start, end: Math.min(line.length, start + (length ?? word)), kind: 'squiggle' }];
}
