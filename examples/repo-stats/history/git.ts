import { type CommandContext, CommandFailure } from 'millrace';

/** Where git would look before it looks at the directory; set inside of hooks, for example. */
const noOtherRepository = {
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_OBJECT_DIRECTORY: undefined,
  GIT_PREFIX: undefined,
};

/** Runs git in a directory. What git complains about goes to the task's output. */
export class Git {
  readonly #context: CommandContext;
  readonly #directory: string;

  constructor(context: CommandContext, directory: string) {
    this.#context = context;
    this.#directory = directory;
  }

  /**
   * Hands on what git prints as it comes; git waits while `onOutput` is busy.
   *
   * @throws CommandFailure when git fails
   */
  async stream(args: readonly string[], onOutput: (chunk: Buffer) => void | Promise<void>): Promise<void> {
    const { exitCode, signal } = await this.#context.processes.run('git', args, {
      cwd: this.#directory,
      env: noOtherRepository,
      onStdout: onOutput,
    });
    if (exitCode !== 0) throw new CommandFailure(exitCode, signal, `git ${args[0] ?? ''}`);
  }

  /**
   * What git prints, without white space at the end.
   *
   * @throws CommandFailure when git fails
   */
  async text(...args: readonly string[]): Promise<string> {
    const chunks: Buffer[] = [];
    await this.stream(args, chunk => void chunks.push(chunk));
    return Buffer.concat(chunks).toString('utf8').trimEnd();
  }

  /** Like {@link text}; empty when git fails, which for many questions means "no". */
  async textIfAny(...args: readonly string[]): Promise<string> {
    try {
      return await this.text(...args);
    } catch (error) {
      if (error instanceof CommandFailure && error.exitCode !== null) return '';
      throw error;
    }
  }
}
