import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PROFILE_KEYS } from '../../src/cli/profile/keys.ts';
import { agentOf, type MadeAgent } from '../helpers/agent.ts';
import { answerJson, type KubeServer, serveKube } from '../helpers/kube.ts';
import { type RunOptions, run } from '../helpers/run.ts';

const root = mkdtempSync(join(tmpdir(), 'profile-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A home of its own, with profiles when they are given. */
function home(text?: string): { env: Record<string, string>; file: string } {
  const path = mkdtempSync(join(root, 'home-'));
  const file = join(path, '.config/cilium/profiles.yaml');
  if (text !== undefined) {
    mkdirSync(join(path, '.config/cilium'), { recursive: true });
    writeFileSync(file, text);
  }
  return { env: { HOME: path }, file };
}

const TWO = `# Mine.
current: prod # for now
profiles:
  # The shop.
  prod:
    context: prod
    server: relay.prod:443
  lab:
    host: unix:///run/lab/cilium.sock
`;

const profile = (words: string, options: RunOptions) => run(['profile', ...words.split(' ')], options);

describe('profile set', () => {
  test('keeps what others set at the same time', async () => {
    const { env, file } = home('profiles: {}\n');
    const names = Array.from({ length: 12 }, (_, i) => `p${i}`);
    const results = await Promise.all(names.map((name) => profile(`set ${name} context=${name}`, { env })));
    expect(results.map(({ stderr, code }) => ({ stderr, code }))).toEqual(
      names.map(() => ({ stderr: '', code: 0 })),
    );
    const { stdout } = await profile('list -o json', { env });
    expect(names.filter((name) => !stdout.includes(`"${name}"`))).toEqual([]);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  test('makes the file, for its owner alone', async () => {
    const { env, file } = home();
    const { stdout, stderr, code } = await profile('set prod context=prod port-forward=true --use', { env });
    expect({ stdout, stderr, code }).toEqual({
      stdout: `Profile prod was made, and is current: ${file}\n`,
      stderr: '',
      code: 0,
    });
    expect(readFileSync(file, 'utf8')).toBe(
      'profiles:\n  prod:\n    context: prod\n    port-forward: true\ncurrent: prod\n',
    );
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('keeps comments, and the mode of the file', async () => {
    const { env, file } = home(TWO);
    chmodSync(file, 0o640);
    await profile('set prod server= namespace=cilium', { env });
    expect(readFileSync(file, 'utf8')).toBe(
      TWO.replace('    server: relay.prod:443\n', '    namespace: cilium\n'),
    );
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  test('honours XDG_CONFIG_HOME', async () => {
    const { env } = home();
    const folder = join(env.HOME ?? '', 'xdg');
    await profile('set a context=b', { env: { ...env, XDG_CONFIG_HOME: folder } });
    expect(existsSync(join(folder, 'cilium/profiles.yaml'))).toBe(true);
  });

  test.each([
    ['prod contxt=prod', 'profile: unknown key "contxt" (did you mean context?)'],
    ['prod context', '"context": expected KEY=VALUE, such as context=prod'],
    ['prod tls=maybe', 'profile: tls: expected true or false'],
    ['prod timeout=soon', 'profile: timeout: expected a duration such as 5s or 1m30s'],
    ['lab node=n1', 'host and node each say which agent is asked: keep one'],
    ['none context=a', '"none" cannot be the name of a profile'],
    ['-x context=a', "unknown option '-x'"],
  ])('refuses %s, and writes nothing', async (words, message) => {
    const { env, file } = home(TWO);
    const { stderr, code } = await profile(`set ${words}`, { env });
    expect(stderr).toContain(message);
    expect(code).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(TWO);
  });
});

describe('profile list, show, use, delete', () => {
  test('list shows what each leads to', async () => {
    const { env } = home(TWO);
    const { stdout } = await profile('list', { env });
    expect(stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['NAME', 'CURRENT', 'AGENT', 'CLUSTER', 'HUBBLE'],
      ['prod', '*', 'prod', 'relay.prod:443'],
      ['lab', 'unix:///run/lab/cilium.sock'],
      [''],
    ]);
    const { stdout: json } = await profile('list -o json', { env });
    expect(JSON.parse(json)[0]).toMatchObject({ name: 'prod', current: true, cluster: 'prod' });
  });

  test('list says how one is made where there is none', async () => {
    const { stderr, code } = await profile('list', home());
    expect({ stderr, code }).toEqual({
      stderr: 'There are no profiles. Make one: cilium profile set prod context=prod\n',
      code: 0,
    });
  });

  test('show leaves out secrets', async () => {
    const { env } = home('profiles: { a: { basic-auth-username: u, basic-auth-password: hunter2 } }\n');
    const { stdout } = await profile('show a', { env });
    expect(stdout).toContain('basic-auth-password: (not shown)\nbasic-auth-username: u\n');
    expect((await profile('explain --profile a', { env })).stdout).not.toContain('hunter2');
  });

  test('use changes one line', async () => {
    const { env, file } = home(TWO);
    expect((await profile('use lab', { env })).stdout).toBe('Profile lab is current.\n');
    expect(readFileSync(file, 'utf8')).toBe(TWO.replace('current: prod', 'current: lab'));
    const { stderr } = await profile('use prod', { env: { ...env, CILIUM_PROFILE: 'lab' } });
    expect(stderr).toBe('CILIUM_PROFILE is lab, which counts before it.\n');
    expect((await profile('use none', { env })).stdout).toBe('No profile is current.\n');
    expect(readFileSync(file, 'utf8')).not.toContain('current:');
  });

  test('use and delete name the profiles that there are', async () => {
    const { env } = home(TWO);
    const { stderr, code } = await profile('use prd', { env });
    expect({ stderr, code }).toEqual({
      stderr: 'Error: there is no profile "prd"\nProfiles: prod, lab.\n',
      code: 1,
    });
    expect((await profile('delete prd', { env })).code).toBe(1);
  });

  test('delete asks in a terminal, and takes the current one away, too', async () => {
    const { env, file } = home(TWO);
    const no = await profile('delete prod', { env, columns: 80, typed: ['n'] });
    expect(no.code).toBe(1);
    expect((await profile('delete prod --dry-run', { env })).stdout).toBe('Would delete the profile prod.\n');
    expect(readFileSync(file, 'utf8')).toBe(TWO);
    const { stdout } = await profile('delete prod --yes', { env });
    expect(stdout).toBe('Profile prod was deleted. No profile is current now.\n');
    expect(readFileSync(file, 'utf8')).not.toMatch(/prod|current/);
  });
});

describe('a file of profiles that is wrong', () => {
  test.each([
    ['profiles: [', /profiles\.yaml:\d+:\d+: /],
    ['- a\n', /expected the keys "current" and "profiles"/],
    ['profile: {}\n', /unknown key "profile" \(did you mean profiles\?\)/],
    [
      'profiles: { a: { contexts: b } }\ncurrent: a\n',
      /a: unknown key "contexts" \(did you mean context\?\)/,
    ],
    ['current: gone\nprofiles: { a: { context: b } }\n', /current: there is no profile "gone"/],
    ['current: a\nprofiles: { a: { tls: "yes" } }\n', /a: tls: expected true or false/],
    [`profiles: ${'['.repeat(20_000)}`, /nested too deeply/],
  ])('ends a verb with one clear error: %j', async (text, message) => {
    const { env } = home(text);
    for (const argv of [
      ['endpoint', 'list'],
      ['hubble', 'status'],
    ]) {
      const { stdout, stderr, code } = await run(argv, { env });
      expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain('fault in the toolkit');
    }
  });

  test('can be mended by the verbs of profiles', async () => {
    const { env } = home('current: gone\nprofiles: { a: { context: b } }\n');
    expect((await profile('use a', { env })).stdout).toBe('Profile a is current.\n');
    const { env: other } = home('profiles: { a: { contexts: b }, c: {} }\n');
    expect((await profile('list', { env: other })).stdout).toContain('unknown key "contexts"');
  });

  test('does not matter to who names none', async () => {
    const { env } = home('profiles: { a: { contexts: b } }\ncurrent: a\n');
    expect((await run(['context', '--profile', 'none'], { env })).stderr).not.toContain('contexts');
  });
});

describe('what counts', () => {
  const agents = new Map<string, MadeAgent>();
  let kube: KubeServer;
  beforeAll(async () => {
    for (const name of ['flag', 'environment', 'profile', 'file'])
      agents.set(
        name,
        await agentOf({ 'GET /v1/identity': { body: [{ id: 1, labels: [`from=${name}`] }] } }),
      );
    kube = await serveKube((_, response) => answerJson(response, { items: [] }));
  });
  afterAll(async () => {
    for (const agent of agents.values()) await agent[Symbol.asyncDispose]();
    await kube[Symbol.asyncDispose]();
  });

  const address = (name: string) => `unix://${agents.get(name)?.socket}`;

  /** Which agent answers, where each of these names one. */
  async function answers(...givers: readonly string[]): Promise<string | undefined> {
    const { env } = home(
      givers.includes('profile')
        ? `current: p\nprofiles: { p: { host: "${address('profile')}" } }\n`
        : undefined,
    );
    if (givers.includes('file'))
      writeFileSync(join(env.HOME ?? '', '.cilium.yaml'), `host: ${address('file')}\n`);
    const { stdout } = await run(
      ['identity', 'list', ...(givers.includes('flag') ? ['--host', address('flag')] : [])],
      { env: { ...env, ...(givers.includes('environment') && { CILIUM_HOST: address('environment') }) } },
    );
    return /from=(\w+)/.exec(stdout)?.[1];
  }

  test('is the flag, then the environment, the profile, the config file', async () => {
    expect(await answers('flag', 'environment', 'profile', 'file')).toBe('flag');
    expect(await answers('environment', 'profile', 'file')).toBe('environment');
    expect(await answers('profile', 'file')).toBe('profile');
    expect(await answers('file')).toBe('file');
  });

  test('CILIUM_SOCK is of the environment, too', async () => {
    const { env } = home(`current: p\nprofiles: { p: { host: "${address('profile')}" } }\n`);
    const { stdout } = await run(['identity', 'list'], {
      env: { ...env, CILIUM_SOCK: agents.get('environment')?.socket ?? '' },
    });
    expect(stdout).toContain('from=environment');
  });

  test('--profile comes before CILIUM_PROFILE, that before the current one', async () => {
    const named = (name: string) => `${name}: { server: "${name}:1" }`;
    const { env } = home(`current: a\nprofiles: { ${['a', 'b', 'c'].map(named).join(', ')} }\n`);
    const server = async (argv: string[], more: Record<string, string> = {}) =>
      (await run(['hubble', 'config', 'get', 'server', ...argv], { env: { ...env, ...more } })).stdout;
    expect(await server([])).toBe('a:1\n');
    expect(await server([], { CILIUM_PROFILE: 'b' })).toBe('b:1\n');
    expect(await server(['--profile', 'c'], { CILIUM_PROFILE: 'b' })).toBe('c:1\n');
    expect(await server(['--profile', 'none'])).toBe('localhost:4245\n');
    expect(await server([], { HUBBLE_SERVER: 'e:1' })).toBe('e:1\n');
    expect(await server(['--server', 'f:1'], { HUBBLE_SERVER: 'e:1' })).toBe('f:1\n');
    mkdirSync(join(env.HOME ?? '', '.config/hubble'));
    writeFileSync(join(env.HOME ?? '', '.config/hubble/config.yaml'), 'server: file:1\ntimeout: 9s\n');
    expect(await server([])).toBe('a:1\n');
    expect(await server(['--profile', 'none'])).toBe('file:1\n');
  });

  test('of a server that is named, nothing of the profile’s own', async () => {
    const { env } = home('current: a\nprofiles: { a: { port-forward: true, tls: true, context: k } }\n');
    const { stdout } = await run(['hubble', 'config', 'view'], { env: { ...env, HUBBLE_SERVER: 'e:1' } });
    expect(stdout).toContain('port-forward: false\n');
    expect(stdout).toContain('tls: false\n');
    expect(stdout).toContain('kube-context: k\n');
  });

  test('a cluster of the profile is asked', async () => {
    const { env } = home(`current: p\nprofiles: { p: { kubeconfig: "${kube.kubeconfig}" } }\n`);
    expect((await run(['context'], { env })).stdout).toContain(`Host: ${kube.url}\n`);
    const other = await run(['context'], { env: { ...env, KUBECONFIG: '/nonexistent/x' } });
    expect(other.stderr).toContain('/nonexistent/x');
  });

  test('a node of the profile is asked, where the verb asks an agent', async () => {
    const { env } = home(
      `current: p\nprofiles: { p: { kubeconfig: "${kube.kubeconfig}", node: worker-9 } }\n`,
    );
    expect((await run(['identity', 'list'], { env })).stderr).toContain('worker-9');
    expect((await run(['context'], { env })).code).toBe(0);
    const host = await run(['identity', 'list', '--host', address('flag')], { env });
    expect(host.stdout).toContain('from=flag');
  });

  test('explain says it of every setting', async () => {
    const { env, file } = home(
      `current: p\nprofiles: { p: { host: "unix:///p.sock", namespace: n, server: "s:1" } }\n`,
    );
    const { stdout } = await profile('explain -o json --context k', {
      env: { ...env, HUBBLE_TIMEOUT: '9s', CILIUM_NAMESPACE: 'e' },
    });
    const rows = Object.fromEntries(
      JSON.parse(stdout).map(({ setting, value, from }: Record<string, string>) => [
        setting,
        `${value} from ${from}`,
      ]),
    );
    expect(rows).toMatchObject({
      profile: `p from current in ${file}`,
      host: 'unix:///p.sock from profile p',
      context: 'k from flag --context',
      namespace: 'e from environment CILIUM_NAMESPACE',
      'hubble server': 's:1 from profile p',
      'hubble timeout': '9s from environment HUBBLE_TIMEOUT',
      'hubble tls': 'false from default',
    });
    for (const { hubble } of PROFILE_KEYS)
      if (hubble) expect(Object.keys(rows)).toContain(`hubble ${hubble}`);
  });
});
