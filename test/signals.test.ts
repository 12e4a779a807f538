import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestLab } from './helpers/lab.ts';
import { NO_PATIENCE } from './helpers/no-patience.ts';
import { fixtureText } from './helpers/recordings.ts';
import { until } from './helpers/until.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'signals-'));
  spawnSync('mkfifo', [join(folder, 'fifo')]);
  const policy = (i: number) =>
    `---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a${i}, namespace: d}\nspec: {endpointSelector: {matchLabels: {app: a${i}}}, ingress: [{}]}\n`;
  writeFileSync(join(folder, 'long.yaml'), Array.from({ length: 150_000 }, (_, i) => policy(i)).join(''));
  const cluster = { server: 'https://127.0.0.1:9', 'certificate-authority': 'fifo' };
  const kubeconfig = {
    clusters: [{ name: 'c', cluster }],
    contexts: [{ name: 'k', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user: {} }],
    'current-context': 'k',
  };
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
  writeFileSync(join(folder, 'flows'), fixtureText('recordings/flows-1.20.jsonl').repeat(400));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** How a command ended after a signal; a SIGKILL comes after half a minute. */
async function interrupted(argv: readonly string[], afterMs: number, signal: NodeJS.Signals) {
  const [program = '', ...words] = argv.map((word) => word.replace('{}', folder));
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, `src/bin/${program}.ts`), ...words], {
    cwd: ROOT,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH, HOME: folder },
  });
  const ended = new Promise<{ code: number | null; by: string | null }>((resolve) =>
    child.on('close', (code, by) => resolve({ code, by })),
  );
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  expect(child.exitCode).toBeNull();
  child.kill(signal);
  const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const end = await ended;
  clearTimeout(limit);
  return end;
}

const LARGE = Array.from({ length: 40 }, () => ['--input-file', '{}/flows']).flat();

describe('a signal ends a command', () => {
  test.each([
    ['that computes', ['cilium', 'policy', 'validate', '{}/long.yaml'], 3000],
    // So often that no machine is done with it before the signal comes.
    ['that reads a large file', ['hubble', 'observe', ...LARGE, '--top', 'src.pod'], 2500],
    ['that waits for a FIFO', ['hubble', 'observe', '--input-file', '{}/fifo'], 2500],
    ['whose configuration is a FIFO', ['cilium', '--config', '{}/fifo', 'version'], 2500],
    ['whose configuration is one, of hubble', ['hubble', '--config', '{}/fifo', 'config', 'view'], 2500],
    ['whose flows are a FIFO', ['cilium', 'policy', 'suggest', '--flows', '{}/fifo'], 2500],
    ['whose kubeconfig is a FIFO', ['cilium', 'logs', '--kubeconfig', '{}/fifo'], 2500],
    ['whose kubeconfig names one', ['cilium', 'logs', '--kubeconfig', '{}/kubeconfig'], 2500],
    ['whose certificate is a FIFO', ['hubble', 'status', '--tls', '--tls-ca-cert-files', '{}/fifo'], 2500],
    ['that reads what is typed', ['cilium', 'policy', 'validate', '-'], 2500],
    ['that asks', ['cilium', 'encrypt', 'flush'], 2500],
  ])('%s', async (_, argv, afterMs) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const { code, by } = await interrupted(argv, afterMs, signal);
      // A ranking is shown as far as it came.
      const fine = by === signal || code === 130 || (code === 0 && argv.includes('--top'));
      expect({ fine: signal === 'SIGTERM' ? by === signal : fine, code, by }).toMatchObject({ fine: true });
    }
  });
});

const SCRIPT = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
const terminal = SCRIPT === undefined ? test.skip : test;

terminal(
  `Ctrl-C ends a question at a terminal at once, and nothing is done${SCRIPT === undefined ? ' (skipped: no script(1))' : ''}`,
  async () => {
    const words = [process.execPath, NO_PATIENCE, '--import', 'tsx', 'src/bin/cilium.ts', 'encrypt', 'flush'];
    const child = spawn(SCRIPT ?? '', ['-qefc', words.map((word) => `'${word}'`).join(' '), '/dev/null'], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, HOME: folder, SHELL: '/bin/sh' },
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    let said = '';
    let isInterrupted = false;
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (isInterrupted || !said.includes('[y/N]')) continue;
      isInterrupted = true;
      child.stdin.write('\u0003');
    }
    expect([await ended, said]).toEqual([130, expect.stringMatching(/\[y\/N\] \^C\s*$/)]);
  },
);

test('a folder that cannot be made is an error', () => {
  for (const home of ['/proc/nope', '/dev/null']) {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', join(ROOT, 'src/bin/hubble.ts'), 'config', 'set', 'tls', 'true'],
      { cwd: ROOT, env: { PATH: process.env.PATH, HOME: home }, encoding: 'utf8', timeout: 180_000 },
    );
    expect(status).toBe(1);
    expect(stderr).not.toContain('a fault in the toolkit itself');
  }
});

test('what is followed ends with 0 after Ctrl-C, also where a file is closed last', async () => {
  await using lab = await startTestLab();
  for (const format of ['json', 'parquet']) {
    const file = join(folder, `recorded-${format}`);
    const words = ['record', file, '--follow', '--format', format];
    const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'src/bin/hubble.ts'), ...words], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, HOME: folder, HUBBLE_SERVER: `unix://${lab.lab.info.sockets.hubble}` },
    });
    let said = '';
    child.stderr.on('data', (part: Buffer) => {
      said += String(part);
    });
    const ended = new Promise((resolve) => child.on('close', (code, by) => resolve({ code, by })));
    await until(async () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0, 30_000);
    child.kill('SIGINT');
    expect({ format, end: await ended }).toEqual({ format, end: { code: 0, by: null } });
    expect(said).toMatch(/^\d+ records written to /m);
  }
});
