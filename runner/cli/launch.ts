#!/usr/bin/env node
/**
 * The first lines that run: checks that this Node can run the rest, and keeps compiled code between starts.
 * It must parse on every Node that is still around and imports nothing of Millrace before the check.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 15)) {
  nodeModule.enableCompileCache();
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
  if (existsSync(other)) {
    // Ctrl-C reaches both processes; the one that runs the pipeline decides when to end.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
    const result = spawnSync(other, process.argv.slice(1), { stdio: 'inherit' });
    process.exitCode = result.status ?? 1;
  } else {
    process.stderr.write(
      `millrace: needs Node 22.15 or newer and runs on ${process.versions.node}; install a newer Node (nodejs.org) or start it with one\n`,
    );
    process.exitCode = 2;
  }
}
