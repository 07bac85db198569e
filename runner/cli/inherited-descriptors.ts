/** Files and pipes that whoever started this process has left open in it. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

const closeOnExec = 0o2000000;

/**
 * Closes them (Linux): what this process starts in the background would hold them for as long as it lives, a lock file of
 * cron's for instance. Node closes them in its children, but only up to the first gap above 15. What Node has opened
 * itself, and the channel to a process that has forked this one, it closes on its own.
 *
 * @param kept a descriptor that is not to be closed
 */
export function closeInheritedDescriptors(kept: number): void {
  if (process.platform !== 'linux') return;
  for (const name of readdirSync('/proc/self/fd')) {
    const descriptor = Number(name);
    if (descriptor <= 2 || descriptor === kept) continue;
    try {
      const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'))?.[1];
      if (flags === undefined || (parseInt(flags, 8) & closeOnExec) !== 0) continue;
      closeSync(descriptor);
    } catch {
      // It was that of reading the folder.
    }
  }
}
