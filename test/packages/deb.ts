import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { missingRoots, Root } from './debian.ts';
import { testUnless } from './packages-test.ts';
import { Screen } from './screen.ts';

/** Files of a root, but for what dpkg, apt and the like note of their own. */
const FILES =
  "find / -xdev ! -path '/var/lib/dpkg/*' ! -path '/var/cache/*' ! -path '/var/log/*' ! -path '/run/*' ! -path '/tmp/*' | sort";

/** The .deb in a Debian: installed, used from three shells, and removed. */
export function testDeb(out: string): void {
  const why = missingRoots();
  describe('the .deb', () => {
    let root: Root;
    let before = '';
    beforeAll(async () => {
      if (why !== undefined) return;
      root = await Root.debian('shells', { prepare: `cp ${out}/*_amd64.deb tmp/toolkit.deb` });
      before = root.run(['sh', '-c', FILES]).stdout;
      // A stand-in for the package of a distribution, which has the same names.
      const other = `mkdir -p /tmp/o/DEBIAN /tmp/o/usr/bin; echo other > /tmp/o/usr/bin/cilium
        printf 'Package: cilium-cli\\nVersion: 1\\nArchitecture: all\\nMaintainer: a <a@example.org>\\nDescription: x\\n' > /tmp/o/DEBIAN/control
        dpkg-deb -b /tmp/o /tmp/o.deb && dpkg -i /tmp/o.deb`;
      expect(root.run(['sh', '-ec', other]).code).toBe(0);
    });
    afterAll(async () => {
      if (why === undefined) await root[Symbol.asyncDispose]();
    });

    testUnless(why, 'takes the place of another package with its names', () => {
      const installed = root.run(['apt-get', 'install', '-qy', '/tmp/toolkit.deb'], {
        env: { DEBIAN_FRONTEND: 'noninteractive' },
      });
      expect([installed.code, installed.stdout]).toEqual([0, expect.stringContaining('Removing cilium-cli')]);
      expect(root.run(['cilium', 'version', '--client']).stdout).toContain('linux/amd64');
      expect(root.run(['hubble', 'version']).stdout).toMatch(/^hubble /);
      expect(root.run(['kubectl-hubble', 'observe', '--help']).stdout).toContain(
        'Usage: kubectl hubble observe',
      );
      expect(root.run(['dpkg', '--verify', 'cilium-toolkit'])).toEqual({ code: 0, stdout: '', stderr: '' });
    });

    const shells = [
      { shell: 'bash', words: ['bash', '--rcfile', '/etc/bash_completion', '-i'] },
      {
        shell: 'zsh',
        words: [
          'sh',
          '-c',
          'printf "autoload -U compinit && compinit -u\\n" > /tmp/.zshrc; ZDOTDIR=/tmp exec zsh -i',
        ],
      },
      { shell: 'fish', words: ['fish', '-i'] },
    ];
    for (const { shell, words } of shells)
      testUnless(
        why,
        `completes in ${shell}, for both names, without anything in the user's files`,
        async () => {
          using screen = new Screen(root.command(words, { env: { HOME: '/tmp', LC_ALL: 'C.UTF-8' } }));
          await screen.shows(/[#>%] ?$/m);
          screen.type('cilium endp');
          screen.press('Tab');
          await screen.shows(/cilium endpoint\b/);
          screen.type('lis');
          screen.press('Tab');
          await screen.shows(/cilium endpoint list\b/);
          screen.press('C-u');
          screen.type('hubble obs');
          screen.press('Tab');
          await screen.shows(/hubble observe\b/);
          screen.type('--verd');
          screen.press('Tab');
          await screen.shows(/hubble observe --verdict/);
        },
      );

    testUnless(why, 'man shows the page of a verb', () => {
      const page = root.run(['man', 'cilium-policy-import'], {
        env: { MANPAGER: 'cat', MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
      });
      expect([page.code, page.stderr]).toEqual([0, '']);
      expect(page.stdout).toMatch(/cilium-policy-import/i);
      expect(page.stdout).toMatch(/^NAME$/m);
      const plugin = root.run(['man', 'kubectl-cilium'], { env: { MANPAGER: 'cat', LC_ALL: 'C.UTF-8' } });
      expect([plugin.code, plugin.stdout]).toEqual([0, expect.stringContaining('cilium-policy(1)')]);
      expect(root.run(['man', '-w', 'hubble-observe']).stdout).toBe(
        '/usr/share/man/man1/hubble-observe.1.gz\n',
      );
    });

    testUnless(why, 'is removed without leaving anything', () => {
      expect(root.run(['dpkg', '--purge', 'cilium-toolkit']).code).toBe(0);
      const after = root.run(['sh', '-c', FILES]).stdout;
      const left = after.split('\n').filter((path) => !before.split('\n').includes(path));
      expect(left).toEqual([]);
    });
  });
}
