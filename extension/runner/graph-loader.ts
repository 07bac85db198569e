/** Loads a project's graph the way a run does: after a save, in a trusted folder. */
import { Coalesced, type Disposes, type Log, messageOf } from '../events.ts';
import { type CommandLine, runCommand } from './run-starter.ts';

export interface LoadedGraph {
  /**
   * What the runner printed; empty when nothing could be loaded. The language server reads it: of a large project it has
   * megabytes.
   */
  readonly text: string;
  /** What could not be loaded, as the runner says it. */
  readonly errors: readonly string[];
}

/** Milliseconds in which several saves count as one. */
const pause = 300;

export class GraphLoader implements Disposes {
  readonly #commandLine: () => Promise<CommandLine>;
  readonly #onLoaded: (graph: LoadedGraph) => void;
  readonly #log: Log;
  readonly #soon: Coalesced;
  #current: AbortController | undefined;

  constructor(commandLine: () => Promise<CommandLine>, onLoaded: (graph: LoadedGraph) => void, log: Log) {
    this.#commandLine = commandLine;
    this.#onLoaded = onLoaded;
    this.#log = log;
    this.#soon = new Coalesced(pause, () => void this.#load());
  }

  /** Loads soon; a load that goes on for what was saved before is given up. */
  load(): void {
    this.#soon.wish();
  }

  dispose(): void {
    this.#soon.dispose();
    this.#current?.abort();
  }

  async #load(): Promise<void> {
    this.#current?.abort();
    const controller = new AbortController();
    this.#current = controller;
    try {
      const commandLine = await this.#commandLine();
      const { stdout, stderr } = await runCommand(
        commandLine,
        ['graph', '--format', 'json'],
        this.#log,
        controller.signal,
      );
      if (!controller.signal.aborted) this.#onLoaded(readGraph(stdout, stderr));
    } catch (error) {
      if (!controller.signal.aborted) this.#log.warn(`The graph could not be loaded: ${messageOf(error)}`);
    }
  }
}

/** What `millrace graph --format json` printed. */
export function readGraph(stdout: string, stderr: string): LoadedGraph {
  const said = stderr.split('\n').filter(line => line.trim() !== '');
  // The rest is what files of the project print, and Node's warnings.
  const errors = said.flatMap(line => {
    const [, error] = /^millrace: (?!\S+: warning: )(.*)/.exec(line) ?? [];
    return error === undefined ? [] : [error];
  });
  // It is printed with indentation: only the last line has nothing before its brace.
  const isWhole = /\n\}\s*$/.test(stdout.slice(-20));
  if (!isWhole && stdout.trim() !== '')
    errors.push('The graph is not complete: the runner ended while it printed it.');
  else if (!isWhole && errors.length === 0) errors.push(...said);
  return { text: isWhole ? stdout : '', errors };
}
