import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { completionScript } from '../../src/cli/completion/scripts.ts';
import { type RunOptions, run } from '../helpers/run.ts';
import { missingShell, type RealShell, startShell } from '../helpers/shell-session.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'install-'));
const dist = join(root, 'dist');

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), dist], { stdio: 'pipe' });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

let homes = 0;
function newHome(): string {
  const home = join(root, `home-${homes++}`);
  mkdirSync(home);
  return home;
}

const PATH = '/usr/bin:/bin';
const install = (home: string, words: readonly string[], options: RunOptions = {}) =>
  run(['completion', 'install', ...words], { ...options, env: { HOME: home, PATH, ...options.env } });
const uninstall = (home: string, words: readonly string[]) =>
  run(['completion', 'uninstall', ...words], { env: { HOME: home, PATH } });

/** All files below a folder, with what they say. */
function filesIn(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  );
}

const fish = completionScript('fish');
const bash = completionScript('bash');

describe('completion install', () => {
  test('of fish writes a file for each program, and says so', async () => {
    const home = newHome();
    const { stdout, stderr, code } = await install(home, ['fish']);
    expect({ stdout, stderr, code }).toEqual({
      stdout: `Wrote ${home}/.config/fish/completions/cilium.fish\nWrote ${home}/.config/fish/completions/hubble.fish\nA new fish completes cilium and hubble.\n`,
      stderr: '',
      code: 0,
    });
    expect(filesIn(home)).toEqual({
      '.config/fish/completions/cilium.fish': fish,
      '.config/fish/completions/hubble.fish': fish,
    });
  });

  test('changes nothing the second time', async () => {
    const home = newHome();
    await install(home, ['fish']);
    const file = join(home, '.config/fish/completions/cilium.fish');
    const { ino } = statSync(file);
    expect((await install(home, ['fish'])).stdout).toContain(`${file} is unchanged\n`);
    expect(statSync(file).ino).toBe(ino);
  });

  test('replaces a script of an older release', async () => {
    const home = newHome();
    const file = join(home, '.config/fish/completions/cilium.fish');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'cilium __complete -- old');
    expect((await install(home, ['fish'])).stdout).toContain(`Wrote ${file}\n`);
    expect(readFileSync(file, 'utf8')).toBe(fish);
  });

  test('says with --dry-run what it would do', async () => {
    const home = newHome();
    const { stdout } = await install(home, ['fish', '--dry-run']);
    expect(stdout).toMatch(/^Would write .*cilium\.fish\nWould write .*hubble\.fish\n$/);
    expect(filesIn(home)).toEqual({});
  });

  test('honours the folders of XDG', async () => {
    const home = newHome();
    await install(home, ['fish'], { env: { XDG_CONFIG_HOME: join(home, 'conf') } });
    await install(home, ['bash'], { env: { XDG_DATA_HOME: join(home, 'data') } });
    expect(Object.keys(filesIn(home)).sort()).toEqual([
      'conf/fish/completions/cilium.fish',
      'conf/fish/completions/hubble.fish',
      'data/bash-completion/completions/cilium',
      'data/bash-completion/completions/hubble',
    ]);
  });

  test('leaves a file alone that something else wrote', async () => {
    const home = newHome();
    const file = join(home, '.config/fish/completions/hubble.fish');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '# mine\n');
    const { stderr, code } = await install(home, ['fish']);
    expect({ stderr, code }).toEqual({
      stderr: `Error: ${file} is there, and was not written by this program\nLook at it, and go on with --force to replace it.\n`,
      code: 1,
    });
    expect(filesIn(home)).toEqual({ '.config/fish/completions/hubble.fish': '# mine\n' });
    expect((await uninstall(home, ['fish'])).code).toBe(1);
    expect((await install(home, ['fish', '--force'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(fish);
  });

  test('writes both files or none', async () => {
    const home = newHome();
    const folder = join(home, '.config/fish/completions');
    mkdirSync(join(folder, 'hubble.fish'), { recursive: true });
    const { stderr, code } = await install(home, ['fish', '--force']);
    expect(code).toBe(1);
    expect(stderr).toContain('hubble.fish');
    expect(readdirSync(folder)).toEqual(['hubble.fish']);
  });

  /** Where all of a machine's shells load bash-completion there is no line to add. */
  const loads = spawnSync('bash', ['-ic', 'complete -p -D'], { env: { HOME: root, PATH }, stdio: 'ignore' });
  const withPlainBash = loads.status === 0 ? test.skip : test;

  withPlainBash('edits an rc file of bash only when it is told to', async () => {
    const home = newHome();
    writeFileSync(join(home, '.bashrc'), 'alias a=b');
    const told = await install(home, ['bash']);
    const line = `source ${home}/.local/share/bash-completion/completions/cilium`;
    expect(told.stdout).toContain(
      `Add this line to ${home}/.bashrc yourself, or run again with --rc: ${line}\n`,
    );
    expect(readFileSync(join(home, '.bashrc'), 'utf8')).toBe('alias a=b');
    const no = await install(home, ['bash'], { columns: 80, typed: ['n'] });
    expect(no.stderr).toContain(`Add this line to ${home}/.bashrc? [y/N] `);
    expect(readFileSync(join(home, '.bashrc'), 'utf8')).toBe('alias a=b');
    await install(home, ['bash'], { columns: 80, typed: ['y'] });
    const edited = `alias a=b\n${line} # completion of cilium and hubble\n`;
    expect(readFileSync(join(home, '.bashrc'), 'utf8')).toBe(edited);
    await install(home, ['bash', '--rc']);
    expect(readFileSync(join(home, '.bashrc'), 'utf8')).toBe(edited);
    const { stdout } = await uninstall(home, ['bash']);
    expect(stdout).toContain(`Removed the line in ${home}/.bashrc\n`);
    expect(filesIn(home)).toEqual({ '.bashrc': 'alias a=b\n' });
  });

  test('keeps the mode of an rc file, and the link that it is', async () => {
    const home = newHome();
    mkdirSync(join(home, 'dotfiles'));
    writeFileSync(join(home, 'dotfiles/zshrc'), '# mine\n');
    chmodSync(join(home, 'dotfiles/zshrc'), 0o640);
    symlinkSync('dotfiles/zshrc', join(home, '.zshrc'));
    await install(home, ['zsh', '--rc']);
    expect(lstatSync(join(home, '.zshrc')).isSymbolicLink()).toBe(true);
    expect(statSync(join(home, '.zshrc')).mode & 0o777).toBe(0o640);
    expect(readFileSync(join(home, 'dotfiles/zshrc'), 'utf8')).toMatch(/^# mine\n.*# completion of cilium/);
  });

  test.each([
    [{ SHELL: '/bin/tcsh', HOME: '/x' }, 'there is no completion for /bin/tcsh'],
    [{ HOME: '/x' }, 'cannot tell which shell you use: SHELL is not set'],
  ])('names the shells when it cannot tell which one is meant: %j', (env, message) => {
    // From a program that is no shell.
    const { stderr, status } = spawnSync(
      process.execPath,
      [join(dist, 'cilium.cjs'), 'completion', 'install'],
      {
        env: { PATH, ...env },
        encoding: 'utf8',
      },
    );
    expect(stderr).toContain(
      `Error: ${message}\nName one of bash, zsh, fish, powershell, as in: cilium completion install bash\n`,
    );
    expect(status).toBe(1);
  });

  test('needs a home', async () => {
    const { stderr } = await run(['completion', 'install', 'bash'], { env: { HOME: '' } });
    expect(stderr).toContain('there is no home folder: HOME is not set');
  });

  test('is there for hubble, too', async () => {
    const home = newHome();
    const { code } = await run(['hubble', 'completion', 'install', 'bash'], { env: { HOME: home, PATH } });
    expect(code).toBe(0);
    expect(readFileSync(join(home, '.local/share/bash-completion/completions/hubble'), 'utf8')).toBe(bash);
  });
});

function safeText(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

describe('completion uninstall', () => {
  test('removes what was written, and says when there is nothing', async () => {
    const home = newHome();
    await install(home, ['fish']);
    expect((await uninstall(home, ['fish', '--dry-run'])).stdout).toMatch(
      /^Would remove .*\nWould remove .*\n$/,
    );
    expect(Object.keys(filesIn(home))).toHaveLength(2);
    expect((await uninstall(home, ['fish'])).stdout).toMatch(/^Removed .*\nRemoved .*\n$/);
    expect(filesIn(home)).toEqual({});
    expect((await uninstall(home, ['fish'])).stdout).toBe(
      'There is no completion of fish that this program wrote.\n',
    );
  });
});

describe('a shell that starts after it', () => {
  for (const shell of ['bash', 'bash with bash-completion', 'zsh', 'fish'] satisfies RealShell[]) {
    const missing = missingShell(shell);
    (missing ? test.skip : test)(`completes: ${shell}`, () => completesAfterwards(shell));
  }
});

async function completesAfterwards(shell: RealShell): Promise<void> {
  const home = newHome();
  const name = shell.split(' ')[0] ?? '';
  if (shell === 'bash with bash-completion')
    writeFileSync(join(home, '.bashrc'), '. /usr/share/bash-completion/bash_completion\n');
  await install(home, [name, '--rc']);
  const added = safeText(join(home, { bash: '.bashrc', zsh: '.zshrc' }[name] ?? '.none'));
  await using session = await startShell(shell, {
    home,
    program: [process.execPath, join(dist, 'cilium.cjs')],
    // The folders of this test may belong to others, which compinit asks about.
    setup: shell.includes('with') ? '' : added.replaceAll('compinit #', 'compinit -u #'),
  });
  expect(await session.enter('cilium endpoi\t')).toEqual([['cilium', 'endpoint']]);
  expect(await session.enter('hubble obse\t')).toEqual([['hubble', 'observe']]);
}
