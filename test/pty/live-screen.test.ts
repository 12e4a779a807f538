import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { agentEnvironment } from '../../src/lab/environment.ts';
import { type LabProcess, privateFolder, startLabProcess } from '../helpers/lab-process.ts';
import { Terminal, terminalTest } from '../helpers/terminal.ts';

let folder: ReturnType<typeof privateFolder>;
let lab: LabProcess;
const startLab = () => startLabProcess(['--scenario', 'shop', '--dir', `${folder.path}/lab`], {});
beforeAll(async () => {
  folder = privateFolder();
  lab = await startLab();
});
afterAll(async () => {
  await lab.end('SIGTERM');
  folder[Symbol.dispose]();
});

function open(columns: number, rows: number, env: Record<string, string> = {}): Terminal {
  return new Terminal({ columns, rows, env: { ...agentEnvironment(lab.info), ...env } });
}

describe('the live screen in a real terminal', () => {
  terminalTest('fits 60, 80 and 200 columns while it is resized, and leaves nothing behind', async () => {
    using terminal = open(80, 24);
    terminal.run('echo before; hubble observe --namespace shop --tui; echo code $?');
    await terminal.shows(/^TIME +SOURCE +DESTINATION +TYPE +VERDICT$/m, 'given: --namespace shop', '? help');
    terminal.resize(60, 16);
    await terminal.shows(/^TIME +SOURCE +DESTINATION +VERDICT$/m, /^\d\d:\d\d:\d\d shop\//m);
    terminal.resize(200, 12);
    const wide = await terminal.shows(
      /^TIME +NODE +SOURCE +DESTINATION +TYPE +VERDICT +SUMMARY$/m,
      // All of the names, whoever is talking: nothing is cut at 200 columns.
      / shop\/[\w-]+:\d+ +[\w./-]+:\d+ /,
      'y copy',
    );
    expect(wide.split('\n').length).toBeLessThanOrEqual(12);
    terminal.press('q');
    const after = await terminal.shows('code 0');
    expect(after).toContain('before');
    expect(after).not.toContain('VERDICT');
  });

  terminalTest('is filtered, searched and explained by keys', async () => {
    using terminal = open(100, 20);
    terminal.run('hubble observe --tui');
    await terminal.shows('shop/redis-0:6379');
    terminal.press('f');
    terminal.press('-l', 'dst.prt = 6379');
    terminal.press('Enter');
    await terminal.shows(
      'there is no field "dst.prt". Did you mean "dst.port"?',
      /^filter: dst.prt = 6379█/m,
    );
    terminal.press('Escape');
    await terminal.shows(/^(?![\s\S]*there is no field)[\s\S]*\nfilter: dst.prt = 6379█/);
    for (const key of ['C-a', 'M-f', 'M-f', 'C-w']) terminal.press(key);
    terminal.press('-l', 'dst.port');
    terminal.press('Enter');
    await terminal.shows(/^filter: dst.port = 6379$/m, /^(?![\s\S]*:8080)/);
    terminal.press('/');
    terminal.press('-l', 'to-endpoint');
    terminal.press('Enter');
    await terminal.shows(/^ NOT FOLLOWING, \d+ below/, 'search: to-endpoint');
    terminal.press('p');
    await terminal.shows('Policy why', /Ingress: +(allowed|denied)/);
    terminal.press('Escape');
    await terminal.shows('SOURCE');
    terminal.press('End');
    await terminal.shows(/^\d+ flows/);
    terminal.press('C-c');
    await terminal.shows(/bash[^\n]*[#$]$/);
  });

  terminalTest('has no colours where none are wanted, and still shows what is selected', async () => {
    using terminal = open(100, 12, { NO_COLOR: '1' });
    terminal.run('hubble observe --tui');
    await terminal.shows('shop/');
    terminal.press('k');
    await terminal.shows('NOT FOLLOWING');
    const styled = terminal.screen(true);
    expect(styled).toMatch(/\u001b\[(0;)?7m/);
    expect(styled).not.toMatch(/\u001b\[[0-9;]*\b3[1-7]m/);
    terminal.press('q');
  });

  terminalTest(
    'leads from the map to a connection, its flows and the rule that decided, and back',
    async () => {
      using terminal = open(100, 24);
      terminal.run('hubble observe --tui');
      await terminal.shows('shop/redis-0:6379');
      terminal.press('2');
      await terminal.shows(/^└─ shop\/redis +6379\/TCP .* POLICY_DENIED ingress 6379\/TCP$/m, 'Enter opens');
      terminal.press('/');
      terminal.press('-l', 'POLICY_DENIED ingress 6379');
      terminal.press('Enter');
      await terminal.shows('search: POLICY_DENIED ingress 6379');
      terminal.press('Enter');
      await terminal.shows(
        'From, to:  shop/loadgen → shop/redis',
        /^Dropped: +\d+ POLICY_DENIED ingress 6379/m,
      );
      terminal.press('Enter');
      await terminal.shows(
        /filter: \(src.ns = shop and src.workload = loadgen and dst.ns = shop and/,
        /^[\d:.]+ shop\/loadgen-0:\d+ +shop\/redis-0:6379 .* DROPPED/m,
      );
      terminal.press('d');
      await terminal.shows('DROPS ONLY');
      terminal.press('p');
      await terminal.shows('Policy why', /^Ingress: +denied/m, /^Flow: +shop\/loadgen-0 -> shop\/redis-0/m);
      terminal.press('Escape');
      await terminal.shows('SOURCE');
      terminal.press('Escape');
      await terminal.shows('Connection (');
      terminal.resize(60, 10);
      terminal.press('Escape');
      const small = await terminal.shows(/^CLIENT \/ SERVER +PORTS +FLOWS +DROPPED +NOTES$/m, 'DROPS ONLY');
      expect(small.split('\n').length).toBeLessThanOrEqual(10);
      terminal.press('q');
      await terminal.shows(/[#$]$/);
    },
  );

  terminalTest('shows drops on the timeline without colours too, and a window of it', async () => {
    using terminal = open(60, 20, { NO_COLOR: '1' });
    terminal.run('hubble observe --tui');
    await terminal.shows('shop/redis-0:6379');
    terminal.press('3');
    await terminal.shows('TIMELINE in UTC', /^─{8,}$/m, /^ *[░▒▓]/m, /^DROPPED +FLOWS +CLIENT +SERVER/m);
    expect(terminal.screen(true)).not.toMatch(/\u001b\[[0-9;]*\b3[1-7]m/);
    terminal.press('N');
    await terminal.shows(
      '━',
      /^Window: [\d:.]+ to [\d:.]+, \d+ flows, [1-9]\d* dropped$/m,
      /^time: [\d:.]+ to/m,
    );
    terminal.press('Enter');
    await terminal.shows(/^[1-9]\d* flows, [1-9]\d* dropped, \d+ ends/m, /^CLIENT \/ SERVER/m);
    terminal.press('Escape');
    await terminal.shows('TIMELINE in UTC');
    terminal.press('4');
    await terminal.shows(/^ANSWERS +P50 +P99 +CODES +CLIENT +SERVER$/m, /^\d+ HTTP +[\d.]+ ms/m);
    terminal.resize(200, 50);
    await terminal.shows(/^\d+ HTTP .* 200 \d+, 201 \d+ +shop\/frontend +shop\/cart$/m);
    terminal.press('q');
    await terminal.shows(/[#$]$/);
  });

  terminalTest('refuses a terminal that cannot draw, with what to do', async () => {
    using terminal = open(80, 10, { TERM: 'dumb' });
    terminal.run('TERM=dumb hubble observe --tui; echo code $?');
    await terminal.shows('TERM is dumb', 'Leave --tui out to print lines.', 'code 1');
  });

  terminalTest('says that the server has gone, and goes on when it is back', async () => {
    using terminal = open(100, 12);
    terminal.run('hubble observe --tui');
    await terminal.shows('shop/');
    await lab.end('SIGTERM');
    await terminal.shows(/^ SERVER GONE: attempt \d+ /);
    lab = await startLab();
    await terminal.shows(/^\d+ flows/, /The stream is back after [\d.]+ s/);
    terminal.press('q');
    // What was missed is said once more where it stays.
    await terminal.shows(/^The stream is back after/m);
  });
});
