/** What can be known about a shell command from its text. */

/** A word without anything that a shell would expand, in quotes or not. */
const word = String.raw`(?:[\w./:=@%+,-]+|'[^'\n\0]*'|"[^"\\$\`!\n\0]*")+`;
const simpleCommand = new RegExp(String.raw`^([A-Za-z0-9_./+][\w./+-]*)(?: +${word})* *$`);

/** Builtins that do in a subshell exactly what they do in a shell of their own. */
const plainBuiltins = new Set(['true', 'false', 'echo', 'printf', 'test', 'pwd', 'cd', 'exit']);

/** Everything else that bash does not look for on the PATH. */
const otherWords = new Set(
  (
    'if then else elif fi case esac for select while until do done in function time coproc ' +
    '. alias bg bind break builtin caller command compgen complete compopt continue declare dirs disown enable eval ' +
    'exec export fc fg getopts hash help history jobs kill let local logout mapfile popd pushd read readarray readonly ' +
    'return set shift shopt source suspend times trap type typeset ulimit umask unalias unset wait'
  ).split(' '),
);

/**
 * - `builtin`, `program`: one simple command without expansions, redirections or operators, which cannot be a syntax
 *   error and does the same in a subshell as in a shell of its own.
 * - `script`: anything else.
 */
export type CommandForm = 'builtin' | 'program' | 'script';

export function commandForm(command: string): CommandForm {
  const first = simpleCommand.exec(command)?.[1];
  if (first === undefined || otherWords.has(first)) return 'script';
  return plainBuiltins.has(first) ? 'builtin' : 'program';
}
