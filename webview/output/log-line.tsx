/** One line of output as it is drawn. */
import { Component, type ComponentChildren } from 'preact';
import type { NodePath } from '../../runner/model.ts';
import type { OutputRecord } from '../../runner/records.ts';
import type { PageAction } from '../messages.ts';
import { labelOf } from '../timeline/nodes.ts';
import type { Colour, TextStyle } from './ansi.ts';
import { lineText, type Piece } from './line-text.ts';

export interface LineProps {
  readonly index: number;
  /** `undefined`: it is still being read. */
  readonly record: OutputRecord | undefined;
  /** Whether the line before is of the same attempt. */
  readonly isRepeated: boolean;
  /** Whether the search or the jump to an error stands here. */
  readonly isCurrent: boolean;
  readonly search: string;
  /** Names are shown below it. */
  readonly pipelinePath: NodePath;
  readonly act: (action: PageAction) => void;
  /** A click on the name of the node. */
  readonly onNode: (record: OutputRecord) => void;
  readonly onOpenDocument: () => void;
}

export class LogLine extends Component<LineProps> {
  override shouldComponentUpdate(next: LineProps): boolean {
    const { record, isRepeated, isCurrent, search, pipelinePath } = this.props;
    return (
      record !== next.record ||
      isRepeated !== next.isRepeated ||
      isCurrent !== next.isCurrent ||
      search !== next.search ||
      pipelinePath !== next.pipelinePath
    );
  }

  override render() {
    const { index, record, isRepeated, isCurrent, search, pipelinePath, act, onNode, onOpenDocument } =
      this.props;
    if (record === undefined) return <div class="log-line unread" data-index={index} aria-busy="true" />;
    const { pieces, omitted } = lineText(record.message, search);
    const classes = ['log-line', `format-${record.format}`];
    if (record.isError) classes.push('faulty');
    if (isRepeated) classes.push('repeated');
    if (isCurrent) classes.push('current');
    const label = labelOf(record.nodePath, pipelinePath);
    return (
      <div class={classes.join(' ')} data-index={index}>
        <LineTime at={record.at} />
        <a
          href="#"
          class="log-node"
          tabIndex={-1}
          title={record.attempt > 1 ? `${label}, attempt ${record.attempt}` : label}
          onClick={event => {
            event.preventDefault();
            if (event.ctrlKey || event.metaKey) act({ kind: 'openNode', path: record.nodePath });
            else onNode(record);
          }}
        >
          {label}
        </a>
        <span class="log-text">
          {record.isError ? <span class="unseen">error: </span> : null}
          {pieces.map((piece, at) => (
            <LinePiece key={at} piece={piece} act={act} />
          ))}
          {omitted === 0 ? null : (
            <button type="button" class="log-omitted" onClick={onOpenDocument}>
              … {omitted.toLocaleString('en-US')} more characters: open as a document
            </button>
          )}
        </span>
      </div>
    );
  }
}

function LineTime({ at }: { at: number }) {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return (
    <time>
      {two(date.getHours())}:{two(date.getMinutes())}:{two(date.getSeconds())}
      <span class="log-fraction">.{String(date.getMilliseconds()).padStart(3, '0')}</span>
    </time>
  );
}

function LinePiece({ piece, act }: { piece: Piece; act: (action: PageAction) => void }) {
  let content: ComponentChildren = piece.text;
  if (piece.marked) content = <mark>{content}</mark>;
  if (piece.style !== null) content = <Styled style={piece.style}>{content}</Styled>;
  const { link } = piece;
  if (link === null) return <>{content}</>;
  return (
    <a
      href="#"
      title={link.kind === 'url' ? link.url : `Open ${link.file}, line ${link.line}`}
      onClick={event => {
        event.preventDefault();
        if (link.kind === 'url') act({ kind: 'openLink', url: link.url });
        else
          act({
            kind: 'openFile',
            file: link.file,
            line: link.line,
            ...(link.column !== undefined && { column: link.column }),
          });
      }}
    >
      {content}
    </a>
  );
}

const FLAGS = ['bold', 'faint', 'italic', 'underline', 'strike'] as const;

function Styled({ style, children }: { style: TextStyle; children: ComponentChildren }) {
  const { inverse } = style;
  const [foreground, background] = inverse
    ? [style.background, style.foreground]
    : [style.foreground, style.background];
  const classes = FLAGS.filter(flag => style[flag]).map(flag => `ansi-${flag}`);
  if (inverse) classes.push('ansi-inverse');
  if (foreground?.kind === 'theme') classes.push(`ansi-text-${foreground.index}`);
  if (background?.kind === 'theme') classes.push(`ansi-back-${background.index}`);
  return (
    <span
      class={classes.join(' ')}
      style={{
        ...(foreground?.kind === 'rgb' && { color: css(foreground) }),
        ...(background?.kind === 'rgb' && { backgroundColor: css(background) }),
      }}
    >
      {children}
    </span>
  );
}

function css(colour: Extract<Colour, { kind: 'rgb' }>): string {
  return `rgb(${colour.red}, ${colour.green}, ${colour.blue})`;
}
