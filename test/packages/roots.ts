import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { until } from '../helpers/until.ts';
import { missingForPackages, missingRoots, Root } from './debian.ts';
import { testUnless } from './packages-test.ts';
import { Screen } from './screen.ts';

const POLICY =
  'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: b}\nspec: {endpointSelector: {}, ingress: [{}]}\n';

/** What a new user does with the file, in a root that has nothing else. */
export function testRoots(out: string): void {
  const bare = () => join(out, 'container-x64/root');
  const names = ['hubble', 'kubectl-cilium', 'kubectl_complete-hubble'];
  // The file by its names; where the C library is all there is, even the compiler's libraries go.
  const put = (also = '') => `
    ${also}
    mkdir -p usr/bin tmp
    cp ${join(out, 'cilium-toolkit-*-linux-x64')} usr/bin/cilium
    for name in ${names.join(' ')}; do ln -sf cilium usr/bin/$name; done
    printf '%s' '${POLICY}' > policy.yaml`;
  const alone = 'rm -rf usr/share lib/*/libgcc_s* lib/*/libstdc++* lib/*/libatomic* usr/bin/*';

  describe.each([
    {
      where: 'a minimal Debian',
      why: missingRoots(),
      make: () => Root.debian('minbase', { prepare: put() }),
    },
    {
      where: 'a root with the GNU C library alone',
      why: missingRoots(),
      make: () => Root.over(bare(), { prepare: put(alone) }),
    },
  ])('in $where', ({ why, make }) => {
    let root: Root;
    let env: Record<string, string> = {};
    beforeAll(async () => {
      if (why === undefined) root = await make();
    });
    afterAll(async () => {
      if (why === undefined) await root[Symbol.asyncDispose]();
    });

    testUnless(why, 'a lab starts, and the verbs read it', () => {
      const started = root.run(['/usr/bin/cilium', 'lab', 'start', '--scenario', 'shop']);
      expect([started.code, started.stderr]).toEqual([0, expect.stringContaining('plays scenario shop')]);
      env = Object.fromEntries(
        Array.from(started.stdout.matchAll(/^export (\w+)='?([^'\n]*)'?$/gm), ([, a, b]) => [a, b]),
      );
      expect(env).toHaveProperty('CILIUM_SOCK');
      const run = (...words: string[]) => root.run(words, { env });
      expect(run('/usr/bin/cilium', 'status', '--brief')).toEqual({ code: 0, stdout: 'OK\n', stderr: '' });
      expect(run('/usr/bin/cilium', 'endpoint', 'list').stdout).toContain(
        'k8s:io.kubernetes.pod.namespace=shop',
      );
      expect(run('/usr/bin/cilium', 'bpf', 'maps', 'list').stdout).toContain('cilium_ct4_global');
      expect(run('/usr/bin/cilium', 'policy', 'validate', '/policy.yaml')).toMatchObject({
        code: 0,
        stderr: '',
      });
    });

    testUnless(why, 'flows are followed, and Ctrl-C ends it', async () => {
      using screen = new Screen(root.command(['/usr/bin/hubble', 'observe', '--follow'], { env }), {
        columns: 200,
      });
      await screen.shows(/(?:.*shop\/.* FORWARDED.*\n){3}/);
      screen.press('C-c');
      // The terminal tells nsenter as well, which ends by the signal: of the program itself nothing is left.
      await screen.shows(/ended with \d/);
      await until(async () => root.outside("! grep -l 'obs[e]rve' proc/[0-9]*/cmdline").code === 0);
    });

    testUnless(why, 'the live screen draws, and q leaves it', async () => {
      using screen = new Screen(root.command(['/usr/bin/hubble', 'observe', '--tui'], { env }));
      await screen.shows(/TIME +SOURCE +DESTINATION[\s\S]*shop\//);
      screen.press('q');
      await screen.shows(/ended with 0$/m);
    });

    testUnless(why, 'a user without root, by another name', () => {
      const user = { user: 65534 };
      expect(root.run(['/usr/bin/kubectl-cilium', 'status', '--help'], user).stdout).toContain(
        'Usage: kubectl cilium status',
      );
      expect(root.run(['/usr/bin/kubectl_complete-hubble', 'obs'], user).stdout).toMatch(
        /^observe\t.*\n:4\n$/,
      );
      expect(root.run(['/usr/bin/cilium', 'policy', 'validate', '/policy.yaml'], user)).toMatchObject({
        code: 0,
        stderr: '',
      });
    });
  });

  testUnless(
    missingForPackages(),
    'the root of the container runs it read-only, without a writable /tmp, for a user',
    async () => {
      await using root = await Root.over(bare(), {
        readonly: true,
        prepare: `printf '%s' '${POLICY}' > policy.yaml`,
      });
      for (const user of [undefined, 65534]) {
        const run = (...words: string[]) => root.run(words, user === undefined ? {} : { user });
        expect(run('/usr/bin/cilium', 'version', '--client').stdout).toContain('linux/amd64');
        expect(run('/usr/bin/hubble', 'version').stdout).toMatch(/^hubble /);
        expect(run('/usr/bin/cilium', 'policy', 'validate', '/policy.yaml')).toMatchObject({
          code: 0,
          stderr: '',
        });
        expect(run('/usr/bin/cilium', 'status').stderr).toContain('no such socket');
        expect(run('/usr/bin/hubble', 'status').stderr).toContain(
          'dial tcp 127.0.0.1:4245: connect: connection refused',
        );
        expect(run('/usr/bin/cilium', 'lab', 'start', '--dir', '/lab').stderr).toBe(
          'Error: cannot make the folder /lab: read-only file system\nGive one that can be written with --dir.\n',
        );
      }
    },
  );

  testUnless(missingForPackages(), 'a root of musl is told what it lacks', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'musl-'));
    try {
      const musl = `mkdir -p usr/bin lib; touch lib/ld-musl-x86_64.so.1; cp ${join(out, 'cilium-toolkit-*-linux-x64')} usr/bin/cilium`;
      await using root = await Root.over(folder, { prepare: musl });
      expect(root.run(['/usr/bin/cilium', 'version'])).toEqual({
        code: 127,
        stdout: '',
        stderr: expect.stringMatching(/^cilium: this system has no GNU C library .*Alpine\n$/),
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
