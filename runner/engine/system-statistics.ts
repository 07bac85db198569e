/** Samples of how busy the machine is, for the chart on a run's page. */
import { readFile } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import type { SystemStatistics } from '../events.ts';

export type Sample = Pick<
  SystemStatistics,
  'cpu' | 'memory' | 'swap' | 'diskRead' | 'diskWrite' | 'netReceived' | 'netSent'
>;

/** What is counted since the machine started; rates come from two of these. */
interface Counters {
  readonly time: number;
  readonly cpuBusy: number;
  readonly cpuTotal: number;
  readonly bytes: Readonly<Record<'diskRead' | 'diskWrite' | 'netReceived' | 'netSent', number>> | null;
}

/** Measurements before the period doubles, so that a run of a day does not store 86,400 of them. */
const samplesPerPeriod = 100;
const megabyte = 1024 * 1024;
const sectorBytes = 512;

/**
 * Samples until stopped; the first sample has no rates. The period doubles after every 100 samples.
 *
 * @param period Seconds between samples; 0 switches sampling off.
 * @returns Stops the sampling.
 */
export function sampleSystem(period: number, onSample: (sample: Sample) => void): () => void {
  if (period <= 0) return () => undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let taken = 0;
  let previous: Counters | undefined;
  const sample = async (): Promise<void> => {
    const counters = await readCounters();
    const memory = await readMemory();
    if (stopped) return;
    onSample({ ...memory, ...rates(previous, counters) });
    previous = counters;
    taken += 1;
    timer = setTimeout(() => void sample(), period * 1000 * 2 ** Math.floor(taken / samplesPerPeriod));
    timer.unref();
  };
  void sample();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

function rates(previous: Counters | undefined, now: Counters): Omit<Sample, 'memory' | 'swap'> {
  const total = now.cpuTotal - (previous?.cpuTotal ?? 0);
  const busy = now.cpuBusy - (previous?.cpuBusy ?? 0);
  const cpu = total > 0 ? round((100 * busy) / total) : 0;
  const seconds = previous === undefined ? 0 : (now.time - previous.time) / 1000;
  const rate = (name: keyof NonNullable<Counters['bytes']>): number | null =>
    previous?.bytes == null || now.bytes === null || seconds <= 0
      ? null
      : round(Math.max(0, now.bytes[name] - previous.bytes[name]) / megabyte / seconds);
  return {
    cpu,
    diskRead: rate('diskRead'),
    diskWrite: rate('diskWrite'),
    netReceived: rate('netReceived'),
    netSent: rate('netSent'),
  };
}

async function readCounters(): Promise<Counters> {
  let cpuBusy = 0;
  let cpuTotal = 0;
  for (const { times } of cpus()) {
    const busy = times.user + times.nice + times.sys + times.irq;
    cpuBusy += busy;
    cpuTotal += busy + times.idle;
  }
  const disk = await readTable('/proc/diskstats');
  const net = await readTable('/proc/net/dev');
  if (disk === null || net === null) return { time: performance.now(), cpuBusy, cpuTotal, bytes: null };
  const bytes = { diskRead: 0, diskWrite: 0, netReceived: 0, netSent: 0 };
  for (const [, , name = '', , , read, , , , written] of disk) {
    // Whole disks only: partitions and stacked devices would count the same bytes again.
    if (!/^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/.test(name)) continue;
    bytes.diskRead += Number(read) * sectorBytes;
    bytes.diskWrite += Number(written) * sectorBytes;
  }
  for (const [name = '', received, , , , , , , , sent] of net) {
    if (!name.endsWith(':') || name === 'lo:') continue;
    bytes.netReceived += Number(received);
    bytes.netSent += Number(sent);
  }
  return { time: performance.now(), cpuBusy, cpuTotal, bytes };
}

async function readMemory(): Promise<Pick<Sample, 'memory' | 'swap'>> {
  const table = await readTable('/proc/meminfo');
  if (table === null) return { memory: round(100 * (1 - freemem() / totalmem())), swap: 0 };
  const kilobytes = new Map(table.map(([name = '', value]) => [name, Number(value)]));
  const share = (used: string, of: string): number => {
    const total = kilobytes.get(of) ?? 0;
    return total === 0 ? 0 : round(100 * (1 - (kilobytes.get(used) ?? 0) / total));
  };
  return { memory: share('MemAvailable:', 'MemTotal:'), swap: share('SwapFree:', 'SwapTotal:') };
}

/** The fields of each line; `null` where the system has no such file (not Linux, or hidden by a sandbox). */
async function readTable(file: string): Promise<string[][] | null> {
  try {
    return (await readFile(file, 'utf8')).split('\n').map(line => line.trim().split(/\s+/));
  } catch {
    return null;
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
