import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Memory, NodeLoad, ProcessLoad } from '../../model/load.ts';

/** Ticks a second that the kernel counts CPU time in, for programs. */
const HERTZ = 100;
/** Processes below this share of one CPU since their start are left out. */
const LEAST_CPU_PERCENT = 1;

/** Reads load averages, memory and busy processes. What cannot be read is left out. */
export async function readLoad(nowMs: number, proc = '/proc'): Promise<NodeLoad> {
  const [average, memory, stat] = await Promise.all([
    text(join(proc, 'loadavg')),
    text(join(proc, 'meminfo')),
    text(join(proc, 'stat')),
  ]);
  const bootSeconds = Number(/^btime (\d+)/m.exec(stat ?? '')?.[1] ?? 0);
  return {
    average: average?.split(' ').slice(0, 3).map(Number),
    memory: memory === undefined ? undefined : parseMemory(memory),
    processes: await readProcesses(proc, nowMs / 1000 - bootSeconds),
  };
}

function parseMemory(text: string): Memory {
  const kilobytes = fields(text);
  const of = (name: string) => (kilobytes.get(name) ?? 0) * 1024;
  const available = kilobytes.has('MemAvailable');
  const free = of('MemFree');
  const [buffers, cached] = [of('Buffers'), of('Cached')];
  return {
    total: of('MemTotal'),
    used: of('MemTotal') - (available ? of('MemAvailable') : free + buffers + cached),
    free,
    buffers,
    cached,
    swapTotal: of('SwapTotal'),
    swapFree: of('SwapFree'),
  };
}

/** `Name:   123 kB` lines. */
function fields(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [, name = '', value] of text.matchAll(/^(\w+):\s+(\d+)/gm)) found.set(name, Number(value));
  return found;
}

async function readProcesses(proc: string, uptimeSeconds: number): Promise<ProcessLoad[]> {
  const entries = await readdir(proc).catch((): string[] => []);
  const found: ProcessLoad[] = [];
  for (const pid of entries.filter((name) => /^\d+$/.test(name)).sort()) {
    // One that ends meanwhile is no longer busy.
    const stat = parseStat(await text(join(proc, pid, 'stat')));
    if (!stat) continue;
    const age = uptimeSeconds - stat.startSeconds;
    const cpuPercent = (stat.cpuSeconds / age) * 100;
    if (!(cpuPercent > LEAST_CPU_PERCENT)) continue;
    const status = fields((await text(join(proc, pid, 'status'))) ?? '');
    const words = ((await text(join(proc, pid, 'cmdline'))) ?? '').split('\0').slice(0, -1);
    const of = (name: string) => (status.get(name) ?? 0) * 1024;
    found.push({
      pid: Number(pid),
      name: stat.name,
      state: stat.state,
      cpuPercent,
      command: words,
      resident: of('VmRSS'),
      size: of('VmSize'),
      data: of('VmData'),
      stack: of('VmStk'),
      locked: of('VmLck'),
      swap: of('VmSwap'),
    });
  }
  return found;
}

interface ProcessStat {
  name: string;
  state: string;
  cpuSeconds: number;
  /** After the boot. */
  startSeconds: number;
}

/** The name is in brackets and may hold brackets itself; the numbered fields follow the last one. */
function parseStat(text: string | undefined): ProcessStat | undefined {
  const match = /^\d+ \((.*)\) (\S) (.*)/s.exec(text ?? '');
  if (!match) return undefined;
  const numbers = (match[3] ?? '').split(' ').map(Number);
  const [user = 0, system = 0] = numbers.slice(10, 12);
  return {
    name: match[1] ?? '',
    state: match[2] ?? '',
    cpuSeconds: (user + system) / HERTZ,
    startSeconds: (numbers[18] ?? 0) / HERTZ,
  };
}

async function text(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
