import assert from 'node:assert/strict';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { blockingFolder, serverAccount } from '../../runner/store/embedded/account.ts';
import { projectDatabaseName } from '../../runner/store/embedded/databases.ts';
import { stateHome, statePaths, type PathEnvironment } from '../../runner/store/embedded/paths.ts';
import { temporaryFolder } from '../support/temp.ts';

const linux: PathEnvironment = { env: {}, platform: 'linux', uid: 1000, userHome: '/home/ann' };

describe('places of the embedded server', () => {
  it('follow the platform, and MILLRACE_HOME above all', () => {
    const homes: [Partial<PathEnvironment>, string][] = [
      [{}, '/home/ann/.local/state/millrace'],
      [{ env: { XDG_STATE_HOME: '/state' } }, '/state/millrace'],
      [{ env: { XDG_STATE_HOME: 'relative' } }, '/home/ann/.local/state/millrace'],
      [{ env: { XDG_STATE_HOME: '/state', MILLRACE_HOME: '/else/where' } }, '/else/where'],
      [{ uid: 0, userHome: '/root' }, '/var/lib/millrace'],
      [{ uid: 0, env: { MILLRACE_HOME: '/volume' } }, '/volume'],
      [{ platform: 'darwin', userHome: '/Users/ann' }, '/Users/ann/Library/Application Support/millrace'],
    ];
    for (const [change, home] of homes) assert.equal(stateHome({ ...linux, ...change }), home);
    const windows = { platform: 'win32', uid: undefined, userHome: 'C:\\Users\\ann' } as const;
    assert.equal(stateHome({ ...windows, env: {} }), 'C:\\Users\\ann\\AppData\\Local\\millrace');
    assert.equal(stateHome({ ...windows, env: { LOCALAPPDATA: 'D:\\Local' } }), 'D:\\Local\\millrace');
  });

  it('keep the socket below the limit of a socket’s name', () => {
    assert.equal(
      statePaths('/home/ann/.local/state/millrace', linux).socketDirectory,
      '/home/ann/.local/state/millrace/run',
    );
    const long = `/home/${'a'.repeat(90)}/millrace`;
    const { socketDirectory } = statePaths(long, linux);
    assert.match(socketDirectory, /^\/tmp\/millrace-1000-[0-9a-f]{8}$/);
    // Not by the environment, which differs between cron and a terminal.
    const other = { ...linux, env: { TMPDIR: '/elsewhere', XDG_RUNTIME_DIR: '/run/user/1000' } };
    assert.equal(statePaths(long, other).socketDirectory, socketDirectory);
  });

  it('name a project’s database by folder and path', async () => {
    await using folder = await temporaryFolder({ 'Äpfel & Birnen/x': '', '___/x': '' });
    const fruit = projectDatabaseName(join(folder.path, 'Äpfel & Birnen'));
    assert.match(fruit, /^pfel_birnen_[0-9a-f]{8}$/);
    assert.match(projectDatabaseName(join(folder.path, '___')), /^project_[0-9a-f]{8}$/);
    await mkdir(join(folder.path, 'x'.repeat(200)));
    assert.match(projectDatabaseName(join(folder.path, 'x'.repeat(200))), /^x{40}_[0-9a-f]{8}$/);
    assert.throws(() => projectDatabaseName(join(folder.path, 'nowhere')), {
      message: `There is no project at ${join(folder.path, 'nowhere')}: the folder does not exist.`,
    });
  });
});

describe('the account of the embedded server', () => {
  it('is our own unless we are root', async () => {
    assert.equal(await serverAccount(null, 1000), null);
  });

  it('is postgres for root, else nobody', async () => {
    await using folder = await temporaryFolder({
      both: 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\npostgres:x:101:104::/:/bin/sh\n',
      one: 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n',
      none: 'root:x:0:0::/root:/bin/sh\n',
    });
    const both = await serverAccount(null, 0, join(folder.path, 'both'));
    assert.deepEqual(both, { name: 'postgres', uid: 101, gid: 104 });
    const one = await serverAccount(join(folder.path, 'no-data-yet'), 0, join(folder.path, 'one'));
    assert.deepEqual(one, { name: 'nobody', uid: 65534, gid: 65533 });
    await assert.rejects(serverAccount(null, 0, join(folder.path, 'none')), {
      message:
        'Cannot start the embedded Postgres: it does not run as root, and neither "postgres" nor "nobody" is in ' +
        `${join(folder.path, 'none')}. Add one of these accounts, work as an ordinary user, or set ` +
        'MILLRACE_STORE_URL to a Postgres server.',
    });
  });

  it('must get through to the state folder', async () => {
    await using folder = await temporaryFolder({ 'a/b/c': '' });
    await chmod(folder.path, 0o755);
    await chmod(join(folder.path, 'a'), 0o700);
    const stranger = { uid: 54321, gid: 54321, name: 'stranger' };
    assert.equal(await blockingFolder(join(folder.path, 'a/b/c'), stranger), join(folder.path, 'a'));
    await chmod(join(folder.path, 'a'), 0o711);
    assert.equal(await blockingFolder(join(folder.path, 'a/b/c'), stranger), null);
  });
});
