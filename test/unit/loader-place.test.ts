import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DEFAULT_PIPELINE_FILES, findPipelineFiles, glob } from '../../runner/loader/discovery.ts';
import { findProject, ProjectNotFoundError } from '../../runner/loader/project.ts';
import { findSourceFile, isTypeScript } from '../../runner/loader/resolution.ts';
import { temporaryFolder } from '../support/temp.ts';

describe('findProject', () => {
  it('takes the nearest directory that has a config, a package.json or a .git', async () => {
    await using folder = await temporaryFolder({
      'repository/.git/HEAD': '',
      'repository/etl/millrace.config.mjs': '',
      'repository/etl/deep/er/file.txt': '',
      'repository/web/package.json': '{}',
      'repository/web/src/file.txt': '',
      'repository/docs/file.txt': '',
    });
    const at = (path: string) => join(folder.path, 'repository', path);
    assert.deepEqual(findProject(at('etl/deep/er')), {
      directory: at('etl'),
      configFile: at('etl/millrace.config.mjs'),
    });
    assert.deepEqual(findProject(at('web/src')), { directory: at('web'), configFile: undefined });
    assert.equal(findProject(at('docs')).directory, join(folder.path, 'repository'));
  });

  it('takes what --project names, relative to where the user is', async () => {
    await using folder = await temporaryFolder({ 'package.json': '{}', 'inner/demo.pipeline.ts': '' });
    assert.equal(findProject(folder.path, 'inner').directory, join(folder.path, 'inner'));
    assert.throws(
      () => findProject(folder.path, 'absent'),
      new ProjectNotFoundError(`The project directory ${join(folder.path, 'absent')} does not exist.`),
    );
    assert.throws(
      () => findProject(folder.path, 'package.json'),
      new ProjectNotFoundError(
        `The project directory ${join(folder.path, 'package.json')} is a file; give the directory that it is in.`,
      ),
    );
  });

  it('says what to do where there is no project', () => {
    assert.throws(
      () => findProject('/'),
      new ProjectNotFoundError(
        'No project found: neither / nor a directory above it has a millrace.config.ts, a package.json or a .git. ' +
          'Make one with "millrace init", or name the directory of an existing one with "--project DIR".',
      ),
    );
  });
});

describe('findPipelineFiles', () => {
  const names = async (directory: string, patterns?: readonly string[]) =>
    (await findPipelineFiles(directory, patterns)).map(file => relative(directory, file));

  it('finds pipeline files at any depth, sorted, and leaves out node_modules and dot folders', async () => {
    await using folder = await temporaryFolder({
      'z.pipeline.ts': '',
      'B.pipeline.mjs': '',
      'a/b/c.pipeline.js': '',
      'a/d.pipeline.mts': '',
      'a/e.pipeline.cts': '',
      'a/pipeline.ts': '',
      'node_modules/x/y.pipeline.ts': '',
      'a/node_modules/x/y.pipeline.ts': '',
      '.cache/y.pipeline.ts': '',
      'a/.hidden/y.pipeline.ts': '',
      '.pipeline.ts': '',
      '.y.pipeline.ts': '',
      'x.pipeline.ts/z.txt': '',
      'x.pipeline.ts.bak': '',
      'y.pipeline.tsx': '',
    });
    await symlink(join(folder.path, 'a'), join(folder.path, 'link'));
    assert.deepEqual(await names(folder.path), [
      'B.pipeline.mjs',
      'a/b/c.pipeline.js',
      'a/d.pipeline.mts',
      'z.pipeline.ts',
    ]);
    // The default has an implementation of its own.
    assert.deepEqual((await glob(folder.path, DEFAULT_PIPELINE_FILES)).sort(), await names(folder.path));
  });

  it('follows the patterns of the project', async () => {
    await using folder = await temporaryFolder({ 'a.flow.ts': '', 'b.flow.ts': '', 'c.pipeline.ts': '' });
    assert.deepEqual(await names(folder.path, ['*.flow.ts', '!b.*']), ['a.flow.ts']);
    assert.deepEqual(await names(folder.path, DEFAULT_PIPELINE_FILES), ['c.pipeline.ts']);
    assert.deepEqual(await names(folder.path, ['nothing/**']), []);
  });
});

describe('findSourceFile', () => {
  it('resolves as TypeScript does', async () => {
    await using folder = await temporaryFolder({
      'both.ts': '',
      'both.js': '',
      'only.js': '',
      'module.mts': '',
      'dotted.name.ts': '',
      'folder/index.ts': '',
      'folder.ts': '',
      'index-only/index.mts': '',
      'data.json': '',
    });
    const root = realpathSync(folder.path);
    const find = (name: string, fromTypeScript = true): string | undefined => {
      const found = findSourceFile(join(root, name), fromTypeScript);
      return found === undefined ? undefined : relative(root, found);
    };
    assert.equal(find('both'), 'both.ts');
    assert.equal(find('both.js'), 'both.ts');
    assert.equal(find('both.js', false), 'both.js');
    assert.equal(find('only.js'), 'only.js');
    assert.equal(find('module.mjs'), 'module.mts');
    assert.equal(find('module.mjs', false), 'module.mts');
    assert.equal(find('dotted.name'), 'dotted.name.ts');
    assert.equal(find('folder'), 'folder.ts');
    assert.equal(find('index-only'), 'index-only/index.mts');
    assert.equal(find('data'), 'data.json');
    assert.equal(find('absent'), undefined);
    assert.equal(find('both.ts/below'), undefined);
  });

  it('knows what must be translated', () => {
    assert.deepEqual(['a.ts', 'a.mts', 'a.cts', 'a.d.ts', 'a.d.mts', 'a.js', 'a.tsx'].map(isTypeScript), [
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
