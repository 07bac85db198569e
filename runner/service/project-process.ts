/**
 * Asks the project something that only its code can tell. Each question is answered by a process of its own, so that the
 * project's code is always as it stands on the disk and never lives in the service.
 */
import { fork, type ChildProcess } from 'node:child_process';
import * as z from 'zod/mini';
import type { ProjectMessage } from '../cli/send-to-parent.ts';
import { entryFile } from '../entry-files.ts';
import { formatPath, type NodePath } from '../model.ts';
import type { TaskDocsRecord } from '../records.ts';

/** The project cannot be loaded, or does not have what was asked for. The message is for people. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError';
}

/** Seconds that the project's files may take to load. */
const TIME_LIMIT = 60;
/** Milliseconds for what it wrote before it ended. */
const LAST_WORDS = 500;
/** Of what a project prints while it is loaded, so much is kept for the message. */
const MOST_ERROR_TEXT = 20_000;

const docItem = z.object({ label: z.string(), value: z.string(), language: z.optional(z.string()) });
const commandDocs = z.array(z.object({ kind: z.string(), items: z.array(docItem) }));
const messageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('configuration'),
    records: z.array(z.object({ key: z.string(), value: z.string(), origin: z.string() })),
    storeUrl: z.nullable(z.string()),
  }),
  z.object({
    type: z.literal('docs'),
    docs: z.object({
      commands: z.nullable(commandDocs),
      parallel: z.nullable(z.object({ before: commandDocs, creation: z.array(docItem), after: commandDocs })),
    }),
  }),
]);

export class ProjectProcesses {
  readonly #directory: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #children = new Set<ChildProcess>();

  /** @param environment what the project's code gets besides the service's own environment */
  constructor(directory: string, environment: NodeJS.ProcessEnv) {
    this.#directory = directory;
    this.#environment = environment;
  }

  /** @throws {ProjectError} */
  async configuration(): Promise<Extract<ProjectMessage, { type: 'configuration' }>> {
    const message = await this.#ask(['config', '--send']);
    if (message.type !== 'configuration') throw new Error('another answer than the configuration');
    return message;
  }

  /** @throws {ProjectError} */
  async taskDocs(path: NodePath): Promise<TaskDocsRecord> {
    const message = await this.#ask(['docs', '--send', '--', formatPath(path)]);
    if (message.type !== 'docs') throw new Error('another answer than the documentation');
    return message.docs;
  }

  /** Ends whatever is being asked. */
  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async #ask(args: readonly string[]): Promise<ProjectMessage> {
    const child = fork(entryFile('launch'), args, {
      cwd: this.#directory,
      // The channel carries the answer; what the project prints is no part of it.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      env: {
        ...process.env,
        ...this.#environment,
        MILLRACE_SERVICE: undefined,
        MILLRACE_ANNOUNCE_FD: undefined,
        NO_COLOR: '1',
      },
    });
    this.#children.add(child);
    let errors = '';
    const said: unknown[] = [];
    const limit = new AbortController();
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-MOST_ERROR_TEXT);
    });
    child.on('message', message => {
      said.push(message);
    });
    const timer = setTimeout(() => {
      limit.abort();
      child.kill('SIGKILL');
    }, TIME_LIMIT * 1000);
    try {
      await new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', () => {
          resolve();
        });
        // Programs that the project started may hold its standard error open.
        child.once('exit', () => setTimeout(resolve, LAST_WORDS).unref());
      });
    } finally {
      clearTimeout(timer);
      this.#children.delete(child);
    }
    if (limit.signal.aborted) {
      throw new ProjectError(
        `Loading the project took longer than ${String(TIME_LIMIT)} s. Files of pipelines must not do the work, only declare it.`,
      );
    }
    // The project's code could have sent something of its own.
    const answer = said.map(message => messageSchema.safeParse(message)).find(({ success }) => success);
    if (answer === undefined) throw new ProjectError(describeErrors(errors));
    return answer.data as ProjectMessage;
  }
}

function describeErrors(text: string): string {
  // What files print while they are loaded comes first.
  const lines = text
    .slice(Math.max(0, text.search(/^millrace: /m)))
    .trim()
    .split('\n')
    .map(line => line.replace(/^millrace: /, ''));
  return text.trim() === ''
    ? 'The project could not be loaded, and said nothing about it.'
    : lines.join('\n');
}
