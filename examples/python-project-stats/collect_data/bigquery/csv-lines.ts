/** From what `bq` prints to what the files hold. */

/**
 * Turns comma separated values into tab separated lines, as they come. Values that hold a tab, a quote or a line break are
 * quoted.
 */
export async function* tabSeparated(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let values: string[] = [];
  let value = '';
  let isQuoted = false;
  // Whether a quote within quotes was the last character: the next one tells whether it ends them.
  let isQuoteOpen = false;
  for await (const chunk of chunks) {
    for (const character of chunk) {
      if (isQuoted && !isQuoteOpen) {
        if (character === '"') isQuoteOpen = true;
        else value += character;
        continue;
      }
      if (isQuoteOpen && character === '"') {
        value += '"';
        isQuoteOpen = false;
      } else if (character === '"') {
        isQuoted = true;
      } else if (character === ',' || character === '\n') {
        values.push(value);
        value = '';
        isQuoted = false;
        isQuoteOpen = false;
        if (character === ',') continue;
        if (values.length > 1) yield values.map(quote).join('\t');
        values = [];
      } else if (character !== '\r') {
        value += character;
      }
    }
  }
  values.push(value);
  if (values.length > 1) yield values.map(quote).join('\t');
}

function quote(value: string): string {
  return /["\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
