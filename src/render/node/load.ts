import { goFixed } from '../../lib/go-fixed.ts';
import type { NodeLoad } from '../../model/load.ts';
import { sanitize } from '../text/sanitize.ts';

/** `loadinfo`: load, memory and swap in MB, and a line per busy process. */
export function renderLoad({ average, memory, processes }: NodeLoad): string {
  const lines: string[] = [];
  if (average) {
    const [one = 0, five = 0, fifteen = 0] = average;
    lines.push(`Load 1-min: ${goFixed(one, 2)} 5-min: ${goFixed(five, 2)} 15min: ${goFixed(fifteen, 2)}`);
  }
  if (memory) {
    const { total, used, free, buffers, cached, swapTotal, swapFree } = memory;
    const swapUsed = swapTotal - swapFree;
    lines.push(
      `Memory: Total: ${mb(total)} Used: ${mb(used)} (${percent(used, total)}%) Free: ${mb(free)} Buffers: ${mb(buffers)} Cached: ${mb(cached)}`,
      `Swap: Total: ${mb(swapTotal)} Used: ${mb(swapUsed)} (${percent(swapUsed, swapTotal)}%) Free: ${mb(swapFree)}`,
    );
  }
  for (const p of processes) {
    const sizes = `RSS: ${mb(p.resident)} VMS: ${mb(p.size)} Data: ${mb(p.data)} Stack: ${mb(p.stack)} Locked: ${mb(p.locked)} Swap: ${mb(p.swap)}`;
    const share = percent(p.resident, memory?.total ?? 0);
    lines.push(
      `NAME ${p.name} STATUS ${p.state} PID ${p.pid} CPU: ${goFixed(p.cpuPercent, 2)}% MEM: ${share}% CMDLINE: [${p.command.join(' ')}] MEM-EXT: ${sizes}`,
    );
  }
  return lines.map((line) => `${sanitize(line).replaceAll('\n', ' ')}\n`).join('');
}

function mb(bytes: number): number {
  return Math.trunc(bytes / 1024 / 1024);
}

function percent(part: number, whole: number): string {
  return goFixed((part / whole) * 100, 2);
}
