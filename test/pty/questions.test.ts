import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { agentEnvironment } from '../../src/lab/environment.ts';
import { type LabProcess, privateFolder, startLabProcess } from '../helpers/lab-process.ts';
import { NO_PATIENCE } from '../helpers/no-patience.ts';
import { Terminal, terminalTest } from '../helpers/terminal.ts';

let folder: ReturnType<typeof privateFolder>;
let lab: LabProcess;
beforeAll(async () => {
  folder = privateFolder();
  lab = await startLabProcess(['--scenario', 'shop', '--dir', `${folder.path}/lab`], {});
});
afterAll(async () => {
  await lab.end('SIGTERM');
  folder[Symbol.dispose]();
});

describe('Ctrl-C at a question', () => {
  for (const [command, question] of [
    ['encrypt flush', '[y/N]'],
    ['fqdn cache clean', '[y/N]'],
    ['policy delete --all', '[y/N]'],
    ['cleanup --even-if-agent-runs', 'Type the name of this node'],
  ] as const)
    terminalTest(`of ${command} ends it`, async () => {
      using terminal = new Terminal({ env: { ...agentEnvironment(lab.info), NODE_OPTIONS: NO_PATIENCE } });
      terminal.run(`cilium ${command}; echo code $?`);
      await terminal.shows(question);
      terminal.press('C-c');
      await terminal.shows('code 130');
    });
});

describe('Ctrl-C in the shell', () => {
  terminalTest('clears the line, ends what runs, and leaves at the second one', async () => {
    using terminal = new Terminal({ env: agentEnvironment(lab.info) });
    terminal.run('cilium shell; echo code $?');
    await terminal.shows(/>$/m);
    terminal.press('-l', 'no such comm');
    await terminal.shows('> no such comm');
    terminal.press('C-c');
    await terminal.shows(/> no such comm\^C\n[^\n]*>$/);
    terminal.run('help');
    const answered = await terminal.shows(/> help\n[\s\S]+>$/);
    expect(answered).not.toContain('unknown command');
    terminal.press('C-c');
    await terminal.shows('Ctrl-C again, Ctrl-D or "exit" leaves.');
    terminal.press('C-c');
    await terminal.shows('code 0');
  });
});
