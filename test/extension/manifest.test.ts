/** What package.json promises, held against what is there. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { openWindow } from './support/window.ts';

interface Command {
  readonly command: string;
  readonly title: string;
  readonly category?: string;
  readonly icon?: string;
  readonly enablement?: string;
}
interface MenuItem {
  readonly command: string;
  readonly when?: string;
  readonly group?: string;
}
interface Manifest {
  readonly extensionKind: readonly string[];
  readonly capabilities: Readonly<
    Record<
      'untrustedWorkspaces' | 'virtualWorkspaces',
      {
        readonly supported: boolean | string;
        readonly description: string;
        readonly restrictedConfigurations?: readonly string[];
      }
    >
  >;
  readonly contributes: {
    readonly commands: readonly Command[];
    readonly menus: Readonly<Record<string, readonly MenuItem[]>>;
    readonly viewsWelcome: readonly { readonly contents: string }[];
    readonly walkthroughs: readonly { readonly steps: readonly { readonly description: string }[] }[];
  };
}

describe('the manifest', () => {
  let manifest: Manifest;
  let commands: readonly Command[];
  let registered: ReadonlySet<string>;
  const menu = (name: string): readonly MenuItem[] => manifest.contributes.menus[name] ?? [];

  before(async () => {
    await openWindow();
    manifest = vscode.extensions.getExtension('millrace.millrace')?.packageJSON as Manifest;
    commands = manifest.contributes.commands;
    registered = new Set(await vscode.commands.getCommands(true));
  });

  it('names commands that are registered, and no other', () => {
    const ours = [...registered].filter(
      id => id.startsWith('millrace.') && !/^millrace\.(?:pipelines|runs)\./.test(id),
    );
    // For lenses and for links of welcome content, with arguments that nobody types.
    const internal = ['millrace.lens', 'millrace.openDocumentation'];
    assert.deepEqual(ours.sort(), [...commands.map(({ command }) => command), ...internal].sort());
  });

  it('gives every command a title, and an icon where it is a button', () => {
    const buttons = [...menu('view/title'), ...menu('view/item/context')].filter(({ group = '' }) =>
      /^(?:navigation|inline)/.test(group),
    );
    for (const { command, title, category, icon } of commands) {
      assert.match(title, /^[A-Z][^%]+$/, command);
      assert.equal(category, 'Millrace', command);
      if (buttons.some(each => each.command === command))
        assert.match(icon ?? '', /^\$\([a-z-]+\)$/, command);
    }
  });

  it('has every command in the palette, where it means something', () => {
    const palette = new Map(menu('commandPalette').map(({ command, when }) => [command, when]));
    const always = ['millrace.createSampleProject', 'millrace.showLog'];
    // The same as another one, with another icon.
    const twins = ['millrace.changeFilter', 'millrace.changeRunsFilter'];
    for (const { command } of commands) {
      const when = palette.get(command);
      if (always.includes(command)) assert.equal(when, undefined, command);
      else if (twins.includes(command)) assert.equal(when, 'false', command);
      else assert.match(when ?? '', /^(?:millrace\.\w+( == \w+)?|workspaceFolderCount != 0)$/, command);
    }
  });

  it('has what a button does in a menu as well, for the keyboard', () => {
    const items = menu('view/item/context');
    for (const { command, when = '', group = '' } of items) {
      if (!group.startsWith('inline')) continue;
      const view = /view == (\S+)/.exec(when)?.[1] ?? '';
      const isInMenu = items.some(
        each =>
          each.command === command &&
          each.group?.startsWith('inline') === false &&
          each.when?.includes(view) === true,
      );
      assert.ok(isInMenu, `${command} of ${view}`);
    }
  });

  it('leads to commands and settings that are there', () => {
    const texts = [
      ...manifest.contributes.viewsWelcome.map(({ contents }) => contents),
      ...manifest.contributes.walkthroughs.flatMap(({ steps }) =>
        steps.map(({ description }) => description),
      ),
    ];
    const linked = texts.flatMap(text => [...text.matchAll(/\(command:([\w.]+)/g)].map(([, id = '']) => id));
    assert.ok(linked.length > 10);
    for (const id of linked) assert.ok(registered.has(id), id);
    for (const name of Object.keys(manifest.contributes.menus))
      for (const { command } of menu(name))
        assert.ok(
          commands.some(each => each.command === command),
          `${command} in ${name}`,
        );
  });

  it('executes nothing for a folder that is not trusted', () => {
    const { untrustedWorkspaces } = manifest.capabilities;
    assert.equal(untrustedWorkspaces.supported, 'limited');
    assert.equal(
      untrustedWorkspaces.description,
      'Pipelines are analysed and their history is shown; nothing of the folder is executed.',
    );
    assert.deepEqual(untrustedWorkspaces.restrictedConfigurations, [
      'millrace.nodePath',
      'millrace.store.url',
      'millrace.loadAfterSave',
    ]);
    const executing = ['run', 'runWithUpstreams', 'runAll', 'debug', 'rerun', 'rerunFailed', 'resetState'];
    for (const name of executing)
      assert.match(
        commands.find(({ command }) => command === `millrace.${name}`)?.enablement ?? '',
        /^isWorkspaceTrusted && /,
        name,
      );
  });

  it('runs where the files are, and says what it does where there are none', () => {
    assert.deepEqual(manifest.extensionKind, ['workspace']);
    const { virtualWorkspaces } = manifest.capabilities;
    assert.equal(virtualWorkspaces.supported, 'limited');
    assert.equal(
      virtualWorkspaces.description,
      'Pipelines can only be analysed and run in folders on a disk.',
    );
  });
});
