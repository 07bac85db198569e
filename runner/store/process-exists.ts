import { errorCode } from './errors.ts';

/** Whether a process of this machine has this id now; it may be any process. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
