import { spawnSync } from 'node:child_process';
import { describe, expect } from '@jest/globals';
import { Terminal, terminalTest } from '../helpers/terminal.ts';

const hasLess = spawnSync('less', ['--version']).error === undefined;

(hasLess ? describe : describe.skip)('long help in a terminal', () => {
  terminalTest('opens less, to which Ctrl-C belongs, and ends with 0 when it is left', async () => {
    using terminal = new Terminal({ columns: 80, rows: 20, env: { PAGER: 'less' } });
    terminal.run('cilium policy import --help; echo code $?');
    await terminal.shows(/^:$/m);
    terminal.press('C-c');
    terminal.press('G');
    const end = await terminal.shows('Examples:');
    expect(end).not.toContain('code');
    terminal.press('q');
    await terminal.shows('code 0');
  });

  terminalTest('is printed at once with --no-pager', async () => {
    using terminal = new Terminal({ columns: 80, rows: 20, env: { PAGER: 'less' } });
    terminal.run('cilium policy import --help --no-pager; echo code $?');
    await terminal.shows('code 0');
  });
});
