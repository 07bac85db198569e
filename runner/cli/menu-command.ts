/** `millrace menu`: walks the tree and runs from the terminal. What keys do is in menu.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Key } from 'node:readline';
import { UsageError } from '../engine/errors.ts';
import type { LoadedProject } from '../loader/load-project.ts';
import { exitCodes } from './exit-codes.ts';
import { Keyboard } from './keyboard.ts';
import {
  drawMenu,
  type Menu,
  type MenuAction,
  type MenuKey,
  openMenu,
  pressKey,
  refreshMenu,
  runArguments,
} from './menu.ts';
import { type ListedNode, listNodes, readNodeHistory } from './node-list.ts';
import { openHistory, openProject, projectDirectory } from './open-project.ts';
import { say, type Terminal } from './terminal.ts';

const alternateScreen = { enter: '\u001b[?1049h\u001b[?25l', leave: '\u001b[?25h\u001b[?1049l' };

export async function menuCommand(terminal: Terminal): Promise<number> {
  const { stdin, stdout } = terminal;
  if (!stdin.isTTY || !stdout.isTTY)
    throw new UsageError(
      'The menu needs a terminal. Without one there are "millrace list" and "millrace run".',
    );
  const directory = projectDirectory(terminal);
  const project = await openProject(terminal, directory);
  let { listed, now } = await readTree(terminal, directory, project);
  if (listed.nodes.length === 0)
    throw new UsageError('The project has no pipelines yet. "millrace init" makes a first one.');
  let menu = openMenu(listed);
  for (;;) {
    const { last, action } = await choose(terminal, menu, now);
    menu = last;
    if (action === 'interrupted') return exitCodes.cancelled;
    if (action.type === 'quit') return exitCodes.success;
    await runHere(terminal, runArguments(action));
    say(terminal, 'Press a key to go back to the menu.');
    if ((await pressedKey(terminal)) === 'interrupted') return exitCodes.cancelled;
    ({ listed, now } = await readTree(terminal, directory, project));
    menu = refreshMenu(menu, listed);
  }
}

async function readTree(
  terminal: Terminal,
  directory: string,
  project: LoadedProject,
): Promise<{ listed: ListedNode; now: number }> {
  await using store = await openHistory(terminal, directory, project.config.store);
  const listed = listNodes(project, project.root, await readNodeHistory(store, []));
  return { listed, now: store.clock() };
}

/** Shows the menu until a key asks for something. Ages do not count on: `now` is when the history was read. */
async function choose(
  terminal: Terminal,
  start: Menu,
  now: number,
): Promise<{ readonly last: Menu; readonly action: MenuAction | 'interrupted' }> {
  const { stdout, style } = terminal;
  let menu = start;
  const draw = (): void => {
    const { rows, columns } = stdout;
    const lines = drawMenu(menu, { rows, columns, now, style });
    // Line by line over the old picture, so that nothing flickers.
    stdout.write(`\u001b[H${lines.map(line => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  };
  stdout.write(alternateScreen.enter);
  stdout.on('resize', draw);
  using keyboard = new Keyboard(terminal.stdin);
  try {
    for (;;) {
      draw();
      const key = await keyboard.next();
      if (key === 'interrupted') return { last: menu, action: key };
      const known = menuKey(key);
      if (known === undefined) continue;
      const pressed = pressKey(menu, known);
      menu = pressed.menu;
      if (pressed.action !== undefined) return { last: menu, action: pressed.action };
    }
  } finally {
    stdout.off('resize', draw);
    stdout.write(alternateScreen.leave);
  }
}

async function pressedKey({ stdin }: Terminal): Promise<Key | 'interrupted'> {
  using keyboard = new Keyboard(stdin);
  return await keyboard.next();
}

const keys: readonly MenuKey[] = [
  ...(['up', 'down', 'left', 'right', 'pageup', 'pagedown', 'home', 'end'] as const),
  ...(['space', 'return', 'u', 'r', 'w', 'q'] as const),
];

/** Also the letters that walk in vi. */
const aliases: Readonly<Record<string, MenuKey>> = {
  k: 'up',
  j: 'down',
  h: 'left',
  l: 'right',
  enter: 'return',
  escape: 'q',
};

function menuKey({ name = '' }: Key): MenuKey | undefined {
  return keys.find(key => key === name) ?? aliases[name];
}

/** A run has a process of its own, as always: it runs the code as it is on disk. */
async function runHere(terminal: Terminal, args: readonly string[]): Promise<void> {
  const [script = ''] = process.argv.slice(1);
  const project = terminal.project === undefined ? [] : ['--project', terminal.project];
  terminal.stdout.write(`${terminal.style('dim', `millrace ${args.join(' ')}`)}\n`);
  // Ctrl-C reaches both processes; the run decides what becomes of it.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    const child = spawn(process.execPath, [...process.execArgv, script, ...project, ...args], {
      cwd: terminal.directory,
      stdio: 'inherit',
    });
    await once(child, 'exit');
  } finally {
    process.off('SIGINT', ignore);
  }
}
