/** Asks for the parameters of a run, one after the other; what is typed is checked as it is typed. */
import * as vscode from 'vscode';
import type { ParameterValue } from '../../runner/model.ts';
import { t } from '../l10n.ts';
import { type AskedParameter, parameterProblem, parameterText } from './parameter-input.ts';

/** @returns the values as texts or as chosen; `undefined` when the user changes their mind. */
export async function askParameters(
  asked: readonly AskedParameter[],
  lastOf: (name: string) => ParameterValue | undefined,
): Promise<Readonly<Record<string, ParameterValue>> | undefined> {
  const values: Record<string, ParameterValue> = {};
  for (const [index, parameter] of asked.entries()) {
    const title = t('Parameter {0} of {1}: {2}', index + 1, asked.length, parameter.name);
    const value = await ask(parameter, title, lastOf(parameter.name));
    if (value === undefined) return undefined;
    values[parameter.name] = value;
  }
  return values;
}

async function ask(
  parameter: AskedParameter,
  title: string,
  last: ParameterValue | undefined,
): Promise<ParameterValue | undefined> {
  const { definition } = parameter;
  const choices = definition.choices ?? (definition.type === 'boolean' ? [true, false] : undefined);
  if (choices !== undefined)
    return await choose(choices, definition.description, title, last ?? definition.default);
  const problem = (text: string): string | undefined => parameterProblem(parameter, text);
  return await vscode.window.showInputBox({
    title,
    prompt: definition.description ?? promptFor(definition.type),
    value: parameterText(parameter, last),
    ignoreFocusOut: true,
    validateInput: problem,
  });
}

async function choose(
  choices: readonly ParameterValue[],
  description: string | undefined,
  title: string,
  first: ParameterValue | undefined,
): Promise<ParameterValue | undefined> {
  const items = choices
    .map(value => ({ label: String(value), value }))
    .sort((a, b) => Number(b.value === first) - Number(a.value === first));
  const chosen = await vscode.window.showQuickPick(items, {
    title,
    ignoreFocusOut: true,
    ...(description === undefined ? {} : { placeHolder: description }),
  });
  return chosen?.value;
}

function promptFor(type: 'string' | 'number' | 'boolean' | 'date'): string {
  switch (type) {
    case 'string':
    case 'boolean':
      return t('A text');
    case 'number':
      return t('A number');
    case 'date':
      return t('A date as YYYY-MM-DD');
  }
}
