/** Runs a script in a process of its own. */
import { Command, CommandFailure } from '../api/command.ts';
import type { CommandContext, ParameterContext } from '../api/context.ts';
import { checkOptions, describeValue, PipelineError } from '../api/errors.ts';
import type { DocItem } from '../model.ts';
import type { CommandSpec } from '../pool/protocol.ts';
import { docItem, fileContent, fileItems, settingItems } from './docs.ts';
import { checkFileDependencies, unlessUnchanged } from './file-dependencies.ts';
import { basePathOf, checkFile } from './files.ts';
import { checkEnvironment, variableNames } from './run-bash.ts';
import { previewContext, runContext } from './parameter-context.ts';
import { checkArguments, type ProgramArguments, resolveArguments } from './run-process.ts';
import { type Interpreter, scriptExtensions, scriptInterpreter } from './script-interpreter.ts';
import { shellWords } from './shell-quote.ts';

export interface RunScriptOptions {
  /** The script, relative to the base path. The ending of its name says what runs it. */
  readonly file: string;
  /** Its arguments. A function is called when the command runs or is shown; it gets the parameters. Default: none. */
  readonly args?: ProgramArguments | undefined;
  /** Environment variables besides those of the runner; `undefined` removes one. The place for secrets. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Files, relative to the base path; while they stay as they are, the script does not run again. */
  readonly fileDependencies?: readonly string[] | undefined;
}

const optionKeys: ReadonlySet<string> = new Set([
  'file',
  'args',
  'env',
  'fileDependencies',
] satisfies (keyof RunScriptOptions)[]);

/**
 * Runs a script in a process of its own, with the base path as its directory: TypeScript and JavaScript with the
 * runner's own Node, others with the interpreter that the ending of the name tells.
 *
 * @example new RunScript({ file: 'clean_up.py', args: ['--days', '30'] })
 */
export class RunScript extends Command {
  readonly #options: RunScriptOptions;
  readonly #interpreter: Interpreter;

  /** @throws PipelineError when an option is unknown or not valid, or nothing is known to run the script */
  constructor(options: RunScriptOptions) {
    super();
    checkOptions('RunScript', options, optionKeys);
    const { file, args, env, fileDependencies } = options;
    if (typeof file !== 'string' || file === '') {
      throw new PipelineError(`RunScript: file must be the name of a script, not ${describeValue(file)}.`);
    }
    const interpreter = scriptInterpreter(file);
    if (interpreter === undefined) {
      throw new PipelineError(
        `RunScript: nothing is known that runs "${file}". Its name must end in one of ${scriptExtensions.join(' ')}; ` +
          'run other programs with RunProcess.',
      );
    }
    if (typeof args !== 'function') checkArguments('RunScript', args);
    checkEnvironment('RunScript', env);
    checkFileDependencies('RunScript', fileDependencies);
    this.#options = options;
    this.#interpreter = interpreter;
  }

  override shellCommand(): string {
    return this.#command(this.#arguments(() => previewContext(this.parent)));
  }

  override async run(context: CommandContext): Promise<void | boolean> {
    const { file, env, fileDependencies } = this.#options;
    const own = this.#arguments(() => runContext(context));
    context.log.command(this.#command(own));
    return await unlessUnchanged(context, `RunScript ${file}`, fileDependencies, async noticed => {
      const given = this.#arguments(() => runContext(noticed));
      const { program, args, env: needed, name } = this.#interpreter;
      const script = await checkFile(basePathOf(context.node, context.basePath), file);
      const end = await context.processes.run(program, [...args, script, ...given], {
        cwd: context.basePath,
        env: { ...needed, ...env },
      });
      if (end.exitCode !== 0) throw new CommandFailure(end.exitCode, end.signal, `${name} ${file}`);
    });
  }

  override docs(): DocItem[] {
    const { file, env, fileDependencies } = this.#options;
    return [
      ...fileContent('script', file, () => basePathOf(this.parent)),
      docItem('command', 'bash', () => this.shellCommand()),
      ...settingItems({ env: variableNames(env) }),
      ...fileItems('file dependency', fileDependencies),
    ];
  }

  override spec(): CommandSpec | undefined {
    return typeof this.#options.args === 'function'
      ? undefined
      : { kind: 'RunScript', options: this.#options };
  }

  #arguments(context: () => ParameterContext): readonly string[] {
    return resolveArguments('RunScript', this.#options.args, context);
  }

  #command(args: readonly string[]): string {
    return shellWords([this.#interpreter.name, this.#options.file, ...args]);
  }
}
