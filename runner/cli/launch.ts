#!/usr/bin/env node
/**
 * The first lines that run: checks that this Node can run the rest, and keeps compiled code between starts.
 * It must parse on every Node that is still around and imports nothing of Millrace before the check.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 15)) {
  nodeModule.enableCompileCache();
  if (process.env['MILLRACE_LAUNCHED'] !== undefined) {
    delete process.env['MILLRACE_LAUNCHED'];
    // An older Node has started this one, see below. It was killed; whoever did that meant this process.
    process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  }
  const { main } = await import('./main.ts');
  const exitCode = await main(process.argv.slice(2));
  // Files of the project may have left timers and connections behind, which must not keep the process; but what has
  // been printed has to go out first.
  for (const stream of [process.stdout, process.stderr])
    await new Promise(resolve => void stream.write('', resolve));
  process.exit(exitCode);
} else {
  // A newer Node may be installed beside Millrace, as a package: in a clone of its repository it is.
  const other = join(
    import.meta.dirname,
    '..',
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (existsSync(other)) runWith(other);
  else {
    process.stderr.write(
      `millrace: needs Node 22.15 or newer and runs on ${process.versions.node}; install a newer Node (nodejs.org) or start it with one\n`,
    );
    process.exitCode = 2;
  }
}

/** Does everything in another process, as if it were this one. */
function runWith(node: string): void {
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(stream => stream.isTTY);
  const child = spawn(node, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, MILLRACE_LAUNCHED: '1' },
    // What reaches this process group must reach the other process once: a second signal means more than the first.
    detached: !hasTerminal && process.platform !== 'win32',
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals)
    process.on(signal, () => {
      // A terminal sends these two to both processes.
      if (!hasTerminal || signal === 'SIGTERM') child.kill(signal);
    });
  child.on('error', error => {
    process.stderr.write(`millrace: ${node} could not be started: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (exitCode, signal) => {
    if (signal === null) process.exit(exitCode);
    for (const each of signals) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}
