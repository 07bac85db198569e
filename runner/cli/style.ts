/** Colours, only where they help: on a terminal, unless `NO_COLOR` or `--no-color` says otherwise. */
import { styleText } from 'node:util';

export type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

/** A style for a stream; plain text where the stream takes no colours. */
export function styleFor(stream: NodeJS.WriteStream, allowed: boolean): Style {
  const coloured =
    allowed &&
    stream.isTTY &&
    !('NO_COLOR' in process.env && process.env['NO_COLOR'] !== '') &&
    process.env['TERM'] !== 'dumb';
  return coloured
    ? (format, text) => styleText(format, text, { validateStream: false })
    : (_format, text) => text;
}
