/** What a command line client says, in the log of the task. */
import type { Log } from '../api/context.ts';
import type { ClientLog } from '../databases/client-database.ts';

/** To be disposed of when the client has ended: its last line may lack an end. */
export function clientLog(log: Log): ClientLog & Disposable {
  const decoder = new TextDecoder();
  let line = '';
  return {
    statement: text => {
      log.command(text);
    },
    output: chunk => {
      const text = line + decoder.decode(chunk, { stream: true });
      const end = text.lastIndexOf('\n');
      line = text.slice(end + 1);
      if (end !== -1) log.verbatim(text.slice(0, end));
    },
    error: text => {
      log.write(text, { format: 'verbatim', isError: true });
    },
    [Symbol.dispose]: () => {
      if (line !== '') log.verbatim(line);
      line = '';
    },
  };
}
