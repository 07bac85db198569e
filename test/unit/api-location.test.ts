import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PipelineError } from '../../runner/api/errors.ts';
import { setLocationCapture } from '../../runner/api/location.ts';
import { isNode, isTask, type Node } from '../../runner/api/node.ts';
import { temporaryFolder } from '../support/temp.ts';

const api = new URL('../../runner/api/', import.meta.url);

const helper = `
import { Task } from '${new URL('task.ts', api).href}';
import { Command } from '${new URL('command.ts', api).href}';
export class Echo extends Command {
  constructor(text) { super(); this.text = text; }
  shellCommand() { return this.text; }
}
export class SqlTask extends Task {
  constructor(id) {
    super({ id, commands: [new Echo(id)] });
  }
}
`;

const pipeline = `
import { Task } from '${new URL('task.ts', api).href}';
import { packaged } from 'helpers';
import { Echo, SqlTask } from './lib/helper.mjs';
export const plain = new Task({ id: 'plain' });
export const own = new SqlTask('own');
export const made = ['x', 'y'].map(id => new Task({ id, commands: [
  new Echo(id)] }));
export const fromPackage = packaged();
export const broken = () => plain.addCommand('x');
`;

const packaged = `
import { Task } from '${new URL('task.ts', api).href}';
export const packaged = () => new Task({ id: 'packaged' });
`;

function nodeOf(value: unknown): Node {
  assert(isNode(value));
  return value;
}

describe('api: locations', () => {
  afterEach(() => {
    setLocationCapture(undefined);
  });

  it('are where the project makes nodes and commands', async () => {
    await using folder = await temporaryFolder({
      'real/my (own) project/a.pipeline.mjs': pipeline,
      'real/my (own) project/lib/helper.mjs': helper,
      'real/my (own) project/node_modules/helpers/package.json':
        '{ "type": "module", "exports": "./index.js" }',
      'real/my (own) project/node_modules/helpers/index.js': packaged,
    });
    await symlink(join(folder.path, 'real'), join(folder.path, 'link'), 'dir');
    const project = join(folder.path, 'link', 'my (own) project');
    const file = join(project, 'a.pipeline.mjs');
    setLocationCapture({ projectDirectory: project });

    const module: unknown = await import(pathToFileURL(file).href);
    assert(typeof module === 'object' && module !== null);
    const exported = new Map(Object.entries(module));
    const made: unknown = exported.get('made');
    assert(Array.isArray(made));
    const nodes = made.map(nodeOf);

    assert.deepEqual(nodeOf(exported.get('plain')).location, { file, line: 5, column: 22 });
    assert.deepEqual(nodeOf(exported.get('own')).location, { file, line: 6, column: 20 });
    assert.deepEqual(
      nodes.map(node => node.location),
      [
        { file, line: 7, column: 42 },
        { file, line: 7, column: 42 },
      ],
    );
    assert.deepEqual(nodeOf(exported.get('fromPackage')).location, { file, line: 9, column: 28 });
    for (const node of nodes) {
      assert(isTask(node));
      assert.deepEqual(node.commands?.[0]?.location, { file, line: 8, column: 3 });
    }

    const broken: unknown = exported.get('broken');
    assert(typeof broken === 'function');
    assert.throws(
      () => {
        Reflect.apply(broken, undefined, []);
      },
      (error: unknown) => {
        assert(error instanceof PipelineError);
        assert.deepEqual(error.location, { file, line: 10, column: 35 });
        return true;
      },
    );
  });

  it('are not recorded unless that is switched on', async () => {
    await using folder = await temporaryFolder({
      'b.pipeline.mjs': `import { Task } from '${new URL('task.ts', api).href}';\nexport const node = new Task({ id: 'a' });`,
    });
    const module: unknown = await import(pathToFileURL(join(folder.path, 'b.pipeline.mjs')).href);
    assert(typeof module === 'object' && module !== null && 'node' in module);
    assert.equal(nodeOf(module.node).location, undefined);
  });
});
