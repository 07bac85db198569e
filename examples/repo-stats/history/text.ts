import { isUtf8 } from 'node:buffer';

/**
 * Text out of bytes of any kind: git keeps names and subjects as it was given them, Postgres only takes UTF-8. A byte
 * that does not belong there becomes `�` and its two hexadecimal digits. So does `�` itself, byte by byte: then
 * different names stay different.
 */
export function toText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8').replaceAll('\ufffd', '\ufffdEF\ufffdBF\ufffdBD');
  let text = '';
  for (let start = 0; start < bytes.length;) {
    const end = endOfCharacter(bytes, start);
    const character = bytes.subarray(start, end);
    text += isUtf8(character) ? toText(character) : `\ufffd${character.toString('hex').toUpperCase()}`;
    start = end;
  }
  return text;
}

/** The end of the valid character that starts at `start`, or of the single byte there when none does. */
function endOfCharacter(bytes: Buffer, start: number): number {
  for (let length = 1; length <= 4 && start + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(start, start + length))) return start + length;
  }
  return start + 1;
}
