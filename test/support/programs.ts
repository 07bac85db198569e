/** Programs that some tests drive and that not every machine has; `npm test` installs them where it may. */
import { spawnSync } from 'node:child_process';

/** Whether a program can be started. */
export function isInstalled(program: string): boolean {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  return spawnSync(program, ['--version'], { env: { ...process.env, PATH: path } }).error === undefined;
}

/** The programs of a MariaDB server and its client. */
export function hasMariaDb(): boolean {
  return ['mariadb-install-db', 'mariadbd', 'mariadb'].every(isInstalled);
}
