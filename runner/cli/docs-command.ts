/** `millrace docs`: the commands of a task in all detail, for the task's page in the editor. */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Command } from '../api/command.ts';
import { constructorName } from '../api/errors.ts';
import { isParallelTask, isTask, type Node } from '../api/node.ts';
import { beforeOrAfter, type ParallelTask } from '../api/parallel-task.ts';
import type { Pipeline } from '../api/pipeline.ts';
import { commandDocs } from '../commands/docs.ts';
import { setPreviewSettings } from '../commands/preview-settings.ts';
import { masker, secretsOf } from '../engine/masks.ts';
import { findNode } from '../engine/plan.ts';
import { parsePath, type DocItem, type NodePath } from '../model.ts';
import type { CommandDocsRecord, TaskDocsRecord } from '../records.ts';
import { exitCodes } from './exit-codes.ts';
import { openProject, projectDirectory } from './open-project.ts';
import { sendToParent } from './send-to-parent.ts';
import type { Terminal } from './terminal.ts';

export interface DocsCommandOptions {
  /** Sends it over the channel of a fork instead. */
  readonly send?: true;
}

export async function docsCommand(
  terminal: Terminal,
  path: string,
  options: DocsCommandOptions,
): Promise<number> {
  const directory = projectDirectory(terminal);
  const project = await openProject(terminal, directory);
  const { defaultDatabase, dataDir } = project.config;
  setPreviewSettings({ defaultDatabase, dataDir });
  const node = findDocumented(project.root, parsePath(path));
  const mask = masker(secretsOf(project.config));
  const bases = [...(node === null ? [] : [node.basePath]), resolve(directory, dataDir)];
  const docs = taskDocs(node, item => placedFile(item, directory, bases), mask);
  if (options.send === true) await sendToParent({ type: 'docs', docs });
  else terminal.stdout.write(`${JSON.stringify(docs, null, 2)}\n`);
  return exitCodes.success;
}

/** A declared node, or a child of a parallel task as far as that is known without expanding it. */
function findDocumented(root: Pipeline, path: NodePath): Node | null {
  for (let length = 1; length < path.length; length++) {
    const above = findNode(root, path.slice(0, length));
    if (!isParallelTask(above)) continue;
    const id = path[length] ?? '';
    if (path.length > length + 1) return null;
    return above.declaredChild?.(id) ?? beforeOrAfter(above, id) ?? null;
  }
  return findNode(root, path);
}

/**
 * A file by the name that errors and the editor know it by, relative to the project: commands name files relative to the
 * base path of their pipeline, or to the data directory. One that is nowhere keeps its name.
 */
function placedFile(item: DocItem, directory: string, bases: readonly string[]): DocItem {
  if (item.language !== 'file') return item;
  const file = bases.map(base => resolve(base, item.value)).find(path => existsSync(path));
  if (file === undefined) return item;
  const short = relative(directory, file);
  return { ...item, value: short.startsWith('..') ? file : short };
}

/** @param node `null`: only a run makes it */
function taskDocs(
  node: Node | null,
  shown: (item: DocItem) => DocItem,
  mask: (text: string) => string,
): TaskDocsRecord {
  const docsOf = (commands: readonly Command[]): CommandDocsRecord[] =>
    commands.map(command => ({
      kind: constructorName(command),
      items: commandDocs(command, mask).map(shown),
    }));
  if (node === null) return { commands: null, parallel: null };
  if (isParallelTask(node)) {
    const parallel = {
      before: docsOf(node.commandsBefore),
      creation: creationDocs(node, mask).map(shown),
      after: docsOf(node.commandsAfter),
    };
    return { commands: null, parallel };
  }
  if (!isTask(node)) return { commands: [], parallel: null };
  return { commands: node.commands === null ? null : docsOf(node.commands), parallel: null };
}

function creationDocs(task: ParallelTask, mask: (text: string) => string): DocItem[] {
  try {
    return task.docs().map(item => ({ ...item, value: mask(item.value) }));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ label: 'creation', value: mask(`cannot be shown: ${message}`), language: 'text' }];
  }
}
