/** The parameters of a run in the environment of the programs that its tasks start. */
import type { Processes, ProcessOptions } from '../api/context.ts';
import { parameterVariable, parameterVariablePrefix } from '../api/parameters.ts';
import type { ParameterValue } from '../model.ts';

type Variables = NonNullable<ProcessOptions['env']>;

/** Those of another run, whose task has started this one, are no business of the programs of this one. */
const inherited: Variables = Object.fromEntries(
  Object.keys(process.env)
    .filter(name => name.startsWith(parameterVariablePrefix))
    .map(name => [name, undefined]),
);

/** Gives programs the parameters; without any, they are started as ever. What a command sets itself wins. */
export function withParameters(
  processes: Processes,
  params: Readonly<Record<string, ParameterValue>>,
): Processes {
  const variables: Variables = {
    ...inherited,
    ...Object.fromEntries(
      Object.entries(params).map(([name, value]) => [parameterVariable(name), String(value)]),
    ),
  };
  if (Object.keys(variables).length === 0) return processes;
  const given = (options: ProcessOptions = {}): ProcessOptions => ({
    ...options,
    env: { ...variables, ...options.env },
  });
  return {
    shell: (command, options) => processes.shell(command, given(options)),
    run: (program, args, options) => processes.run(program, args, given(options)),
  };
}
