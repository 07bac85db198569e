/** Commands that begin and end runs. */
import * as vscode from 'vscode';
import { formatPath, type NodePath } from '../../runner/model.ts';
import type { RunRecord } from '../../runner/records.ts';
import { debugNode } from '../debug/debug-node.ts';
import { messageOf } from '../events.ts';
import { t } from '../l10n.ts';
import { askParameters } from '../parameters/ask-parameters.ts';
import { parametersOf } from '../parameters/parameter-input.ts';
import type { Processes } from '../processes.ts';
import { isGoingOn } from '../project/live-run.ts';
import type { Project } from '../project/project.ts';
import { runOf } from '../project/project-state.ts';
import type { Projects } from '../project/projects.ts';
import { allowed, type RunLauncher, showError } from '../runner/run-launcher.ts';
import { runCommand } from '../runner/run-starter.ts';
import { nameOfPath, plainMessage } from '../wording.ts';
import type { NodeTarget, Targets } from './targets.ts';

export interface RunCommandParts {
  readonly projects: Projects;
  readonly processes: Processes;
  readonly launcher: RunLauncher;
  readonly targets: Targets;
  readonly log: vscode.LogOutputChannel;
}

export class RunCommands {
  readonly #projects: Projects;
  readonly #processes: Processes;
  readonly #launcher: RunLauncher;
  readonly #targets: Targets;
  readonly #log: vscode.LogOutputChannel;

  constructor({ projects, processes, launcher, targets, log }: RunCommandParts) {
    this.#projects = projects;
    this.#processes = processes;
    this.#launcher = launcher;
    this.#targets = targets;
    this.#log = log;
  }

  /** By id of the command. */
  get handlers(): Readonly<Record<string, (argument: unknown, selected: unknown) => Promise<unknown>>> {
    return {
      'millrace.run': (argument, selected) => this.#run(argument, selected, false),
      'millrace.runWithUpstreams': (argument, selected) => this.#run(argument, selected, true),
      'millrace.runAll': argument => this.#runAll(argument),
      'millrace.stop': argument => this.#stop(argument),
      'millrace.debug': argument => this.#debug(argument),
      'millrace.cancelRun': argument => this.#cancelRun(argument),
      'millrace.rerun': argument => this.#rerun(argument),
      'millrace.rerunFailed': argument => this.#rerunFailed(argument),
      'millrace.resetState': argument => this.#reset(argument),
    };
  }

  /** Runs nodes of one project. */
  async runNodes(
    project: Project,
    paths: readonly NodePath[],
    withUpstreams: boolean,
  ): Promise<number | undefined> {
    return await this.#launcher.run(project, paths, withUpstreams);
  }

  async debugPath(project: Project, path: NodePath): Promise<void> {
    if (!(await allowed())) return;
    const params = await askParameters(parametersOf(project.state.pipelines, [path]), () => undefined);
    if (params === undefined) return;
    await vscode.workspace.saveAll(false);
    const commandLine = await this.#processes.commandLine(project);
    const started = await debugNode(project, path, params, commandLine);
    if (!started)
      await showError(t('The debugger could not be started for {0}.', formatPath(path)), this.#log);
  }

  /** Asks a run to end. */
  async cancel(project: Project, runId: number): Promise<void> {
    try {
      const answer = await project.request('cancel', { runId });
      switch (answer.kind) {
        case 'requested':
          return;
        case 'lost':
          await vscode.window.showInformationMessage(
            t('Run {0} was dead already; it is now recorded as lost.', runId),
          );
          return;
        case 'ended':
          await vscode.window.showInformationMessage(t('Run {0} has ended already.', runId));
          return;
        case 'unknown':
          await vscode.window.showInformationMessage(t('There is no run {0}.', runId));
      }
    } catch (error) {
      await showError(t('Run {0} could not be cancelled: {1}', runId, messageOf(error)), this.#log);
    }
  }

  async rerunById(project: Project, runId: number, onlyFailed: boolean): Promise<void> {
    const run = await findRun(project, runId);
    if (run === undefined) {
      await showError(t('Run {0} is no longer in the history.', runId), this.#log);
      return;
    }
    if (onlyFailed) await this.#launcher.resume(project, run);
    else await this.#launcher.rerun(project, run);
  }

  async #run(argument: unknown, selected: unknown, withUpstreams: boolean): Promise<number | undefined> {
    const given = this.#targets.nodes(argument, selected);
    const title = withUpstreams ? t('Run with upstreams') : t('Run');
    const picked = given.length > 0 ? given : [await this.#targets.node(argument, title)];
    const targets = picked.filter(target => target !== undefined);
    let runId: number | undefined;
    for (const [project, paths] of byProject(targets))
      runId = await this.#launcher.run(project, paths, withUpstreams);
    return runId;
  }

  async #runAll(argument: unknown): Promise<number | undefined> {
    const project = await this.#targets.project(argument);
    return project === undefined ? undefined : await this.#launcher.run(project, [], false);
  }

  async #stop(argument: unknown): Promise<void> {
    const [target] = this.#targets.nodes(argument, undefined);
    if (target === undefined) {
      await this.#cancelRun(argument);
      return;
    }
    const runId = runOf(target.project.state, target.path);
    if (runId !== undefined) await this.cancel(target.project, runId);
    else
      await vscode.window.showInformationMessage(
        t('{0} does not run any more.', plainMessage(nameOfPath(target.path))),
      );
  }

  async #cancelRun(argument: unknown): Promise<void> {
    const going = this.#projects.all.flatMap(project =>
      [...project.state.live.values()].filter(isGoingOn).map(({ run }) => ({ project, runId: run.runId })),
    );
    const [only, ...others] = going;
    const target =
      argument === undefined && only !== undefined && others.length === 0
        ? only
        : await this.#targets.run(argument, t('Cancel a run'), ({ status }) => status === 'running');
    if (target !== undefined) await this.cancel(target.project, target.runId);
  }

  async #debug(argument: unknown): Promise<void> {
    const target = await this.#targets.node(argument, t('Debug'), 'task');
    if (target !== undefined) await this.debugPath(target.project, target.path);
  }

  async #rerun(argument: unknown): Promise<void> {
    const target = await this.#targets.run(argument, t('Run again'), ({ status }) => status !== 'running');
    if (target !== undefined) await this.rerunById(target.project, target.runId, false);
  }

  async #rerunFailed(argument: unknown): Promise<void> {
    const [node] = this.#targets.nodes(argument, undefined);
    const ofNode = node?.project.state.figures.get(formatPath(node.path))?.last?.runId;
    if (node !== undefined && ofNode !== undefined) {
      await this.rerunById(node.project, ofNode, true);
      return;
    }
    const isUnfinished = ({ status }: RunRecord): boolean => status !== 'running' && status !== 'succeeded';
    const target = await this.#targets.run(argument, t('Re-run what failed in'), isUnfinished);
    if (target !== undefined) await this.rerunById(target.project, target.runId, true);
  }

  async #reset(argument: unknown): Promise<void> {
    const target = await this.#targets.node(argument, t('Forget incremental state'));
    if (target === undefined || !(await allowed())) return;
    const forget = t('Forget');
    const name = nameOfPath(target.path);
    const chosen = await vscode.window.showWarningMessage(
      t('Forget the incremental state of {0} and of everything below it?', name),
      { modal: true, detail: t('What is loaded incrementally is then loaded anew by the next run.') },
      forget,
    );
    if (chosen !== forget) return;
    const commandLine = await this.#processes.commandLine(target.project);
    const args = ['reset', formatPath(target.path), '--yes'];
    const { code, stdout, stderr } = await runCommand(commandLine, args, this.#log);
    if (code === 0) {
      this.#log.info(stdout.trimEnd());
      await vscode.window.showInformationMessage(t('Forgot the incremental state of {0}.', name));
    } else await showError(stderr.replace(/^millrace: /gm, '').trimEnd(), this.#log);
  }
}

/** A run that may be older than what the side bar shows. */
export async function findRun(project: Project, runId: number): Promise<RunRecord | undefined> {
  const known =
    project.state.live.get(runId)?.run ?? project.state.runs?.runs.find(run => run.runId === runId);
  return known ?? (await project.request('run', { runId }))?.run;
}

function byProject(targets: readonly NodeTarget[]): Map<Project, NodePath[]> {
  const paths = new Map<Project, NodePath[]>();
  for (const { project, path } of targets) paths.set(project, [...(paths.get(project) ?? []), path]);
  return paths;
}
