/** What a task says of itself. */
import type { Log } from '../api/context.ts';
import type { OutputCollector } from './output-collector.ts';

export function logTo(output: OutputCollector): Log {
  return {
    info: text => {
      output.write(text, { format: 'standard', isError: false });
    },
    command: text => {
      output.write(text, { format: 'italics', isError: false });
    },
    verbatim: text => {
      output.write(text, { format: 'verbatim', isError: false });
    },
    error: text => {
      output.write(text, { format: 'standard', isError: true });
    },
    write: (text, kind) => {
      output.write(text, kind);
    },
  };
}
