import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readLoad } from '../../src/node/state/load.ts';
import { renderLoad } from '../../src/render/node/load.ts';
import { run } from '../helpers/run.ts';

/** A /proc with one busy and one idle process. */
function fakeProc(): string {
  const proc = mkdtempSync(join(tmpdir(), 'proc-'));
  const write = (path: string, text: string) => {
    mkdirSync(join(proc, path, '..'), { recursive: true });
    writeFileSync(join(proc, path), text);
  };
  write('loadavg', '0.50 1.25 2.00 1/100 4242\n');
  write(
    'meminfo',
    'MemTotal: 1048576 kB\nMemFree: 262144 kB\nMemAvailable: 524288 kB\nBuffers: 1024 kB\nCached: 2048 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n',
  );
  write('stat', 'cpu 1 2 3\nbtime 1000\n');
  const stat = (pid: number, name: string, ticks: number) =>
    `${pid} (${name}) S 1 1 1 0 -1 4194560 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 10000 0 0\n`;
  write('12/stat', stat(12, 'envoy (x) y', 5000));
  write(
    '12/status',
    'Name:\tenvoy\nVmSize:\t 20480 kB\nVmRSS:\t 10240 kB\nVmData:\t 4096 kB\nVmStk:\t 1024 kB\nVmLck:\t 0 kB\nVmSwap:\t 0 kB\n',
  );
  write('12/cmdline', 'envoy\0-c\0f\u001b.yaml\0');
  write('7/stat', stat(7, 'idle', 1));
  write('30/stat', '');
  return proc;
}

test('loadinfo shows load, memory, swap and busy processes', async () => {
  const proc = fakeProc();
  const text = renderLoad(await readLoad(1_200_000, proc));
  rmSync(proc, { recursive: true });
  expect(text).toBe(
    [
      'Load 1-min: 0.50 5-min: 1.25 15min: 2.00',
      'Memory: Total: 1024 Used: 512 (50.00%) Free: 256 Buffers: 1 Cached: 2',
      'Swap: Total: 2 Used: 1 (50.00%) Free: 1',
      'NAME envoy (x) y STATUS S PID 12 CPU: 50.00% MEM: 0.98% CMDLINE: [envoy -c f^[.yaml] MEM-EXT: RSS: 10 VMS: 20 Data: 4 Stack: 1 Locked: 0 Swap: 0',
      '',
    ].join('\n'),
  );
});

test('loadinfo leaves out what the system has not', async () => {
  expect(renderLoad(await readLoad(0, '/nonexistent'))).toBe('');
});

test('loadinfo reads this machine', async () => {
  const { stdout, code } = await run(['loadinfo'], { nowMs: Date.now() });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Load 1-min: \d+\.\d\d 5-min: .*\nMemory: Total: \d+ Used: \d+ \(/);
});
