import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { MapEntry } from '../../../src/policy/evaluate/maps/policy-map.ts';
import { agentOf } from '../../helpers/agent.ts';
import { run } from '../../helpers/run.ts';
import { entriesText } from '../../policy/helpers.ts';
import { policySets, recordedEntries } from '../../policy/recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'builds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A recorded set whose maps have copies of a denial. */
const SET = policySets().find(({ name }) => name === 'deny port over allow l3');
if (!SET) throw new Error('the set is not recorded');
const { identities, endpoints, storedRules } = SET;
const STATE = join(folder, 'state.json');
const RULES = join(folder, 'rules.json');
writeFileSync(
  STATE,
  JSON.stringify({ identities, endpoints: endpoints.map(({ id, identity }) => ({ id, identity })) }),
);
writeFileSync(RULES, JSON.stringify(storedRules));

const RECORDED = endpoints.flatMap(({ id, mapEntries }) =>
  entriesText(recordedEntries(mapEntries)).map((text) => `${id} ${text}`),
);
const FLAGS = ['--cidr-match-mode', 'none', '-o', 'json'];

function entriesIn(stdout: string): string[] {
  const maps = JSON.parse(stdout) as { endpoint: number; entries: MapEntry[] }[];
  return maps.flatMap(({ endpoint, entries }) => entriesText(entries).map((text) => `${endpoint} ${text}`));
}

const EARLY =
  /^Note: these are the maps of an agent on the way to 1\.17, as agents of 1\.16 make them: a later one/;

describe('policy maps of agents on the way to 1.17 and of released ones', () => {
  test.each([
    ['1.16', true, /^$/],
    ['1.17', true, /: those of released 1\.17 differ for 1 of 6 endpoints \(--release 1\.17\.0\)\.\n$/],
    ['1.17.0-dev', true, EARLY],
    ['v1.17.0-pre.1', true, EARLY],
    ['1.17.0-rc.0', false, /^$/],
    ['1.17.0', false, /^$/],
    ['v1.17.13', false, /^$/],
  ] as const)('--release %s: as recorded: %j', async (release, recorded, said) => {
    const argv = ['policy', 'maps', '-r', RULES, '-s', STATE, '--release', release, ...FLAGS];
    const { stdout, stderr, code } = await run(argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(said) });
    const entries = entriesIn(stdout);
    if (recorded) return expect(entries.toSorted()).toEqual(RECORDED.toSorted());
    expect(entries.length).toBeLessThan(RECORDED.length);
    expect(RECORDED).toEqual(expect.arrayContaining(entries));
  });

  test('without a release they are those that were recorded', async () => {
    const { stdout, stderr } = await run(['policy', 'maps', '-r', RULES, '-s', STATE, ...FLAGS]);
    expect(entriesIn(stdout).toSorted()).toEqual(RECORDED.toSorted());
    expect(stderr).toMatch(/1\.17 is assumed \(--release\)\.\n.*those of released 1\.17 differ/);
  });

  test.each(['1.17.x', '1.17.', '1.8', '2.0.1', '1.21', 'dev'])('%j is no release', async (release) => {
    const { code, stderr } = await run(['policy', 'maps', '-r', RULES, '-s', STATE, '--release', release]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Allowed choices are 1\.9, .* 1\.20, or a version of one of them\./);
  });

  test.each([
    ['1.17.0-dev (v1.17.0-dev-b095517e62)', [], true],
    ['1.17.3 (v1.17.3-c2bbf787)', [], false],
    // What the agent says of its build counts where the release that is asked for does not say it.
    ['1.17.3 (v1.17.3-c2bbf787)', ['--release', '1.17'], false],
    ['1.17.3 (v1.17.3-c2bbf787)', ['--release', '1.17.0-dev'], true],
    ['1.18.0 (v1.18.0-x)', ['--release', '1.17'], true],
    ['OK', [], true],
  ])('of an agent that says %j, with %j: as recorded: %j', async (msg, flags, recorded) => {
    await using agent = await agentOf({
      'GET /v1/identity': { body: identities },
      'GET /v1/endpoint': {
        body: endpoints.map(({ id, identity }) => ({ id, status: { identity: { id: identity } } })),
      },
      'GET /v1/ip': { body: [] },
      'GET /v1/policy': { body: { policy: JSON.stringify(storedRules), revision: 1 } },
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg } } },
    });
    const { stdout } = await run(['policy', 'maps', '-s', 'agent', ...flags, ...FLAGS], {
      env: { CILIUM_SOCK: agent.socket },
    });
    const same = entriesIn(stdout).toSorted().join('\n') === RECORDED.toSorted().join('\n');
    expect(same).toBe(recorded);
  });
});

const API = { matchLabels: { app: 'api' } };

function writeState(name: string, identities: object[]): string {
  const path = join(folder, name);
  const all = [{ id: 1000, labels: ['k8s:app=api'] }, ...identities];
  writeFileSync(path, JSON.stringify({ identities: all, endpoints: [{ id: 7, identity: 1000 }] }));
  return path;
}

test('an agent of 1.13.90 on the way to 1.14 makes maps as 1.13 does', async () => {
  const state = writeState('web.json', [{ id: 1001, labels: ['k8s:app=web'] }]);
  const rules = join(folder, 'web-rules.json');
  const ports = [{ ports: [{ port: '80', protocol: 'TCP' }] }];
  const web = { matchLabels: { app: 'web' } };
  writeFileSync(
    rules,
    JSON.stringify([
      { endpointSelector: API, ingress: [{ fromEndpoints: [web], toPorts: ports }] },
      { endpointSelector: API, ingressDeny: [{ toPorts: [{ ports: [{ port: '0', protocol: 'TCP' }] }] }] },
    ]),
  );
  const maps = async (release: string) => {
    const argv = ['policy', 'maps', '-r', rules, '-s', state, '--release', release, ...FLAGS];
    const { stdout, stderr } = await run(argv);
    return { entries: entriesIn(stdout), stderr };
  };
  const [before, early, released] = [await maps('1.13'), await maps('1.13.90'), await maps('1.14')];
  expect(early.entries).toEqual(before.entries);
  expect(early.entries).not.toEqual(released.entries);
  expect(early.stderr).toMatch(/on the way to 1\.14, as agents of 1\.13 make them/);
  expect(released.stderr).toBe('');
});

test('a rule counts as covered for 1.17 only where it is so before and after its release', async () => {
  const state = writeState('cidrs.json', [
    { id: 2000, labels: ['cidr:10.0.0.0/8', 'reserved:world'] },
    { id: 2001, labels: ['cidr:10.2.0.0/16', 'reserved:world'] },
  ]);
  const rules = join(folder, 'cidr-rules.json');
  writeFileSync(
    rules,
    JSON.stringify([
      { endpointSelector: API, egress: [{ toCIDR: ['10.2.0.0/16'] }] },
      { endpointSelector: API, egress: [{ toCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }] }] },
    ]),
  );
  const covered = async (release: string) => {
    const argv = ['policy', 'unused', '-r', rules, '-s', state, '--release', release, ...FLAGS];
    const { stdout } = await run(argv);
    const found = JSON.parse(stdout) as { reason: string; rule: { location: string } }[];
    return found.map(({ reason, rule }) => `${reason} ${rule.location.replace(/^.*:1:/, '')}`);
  };
  expect(await covered('1.17.0-dev')).toEqual(['covered 91']);
  expect(await covered('1.17.0')).toEqual(['covered 2']);
  expect(await covered('1.17')).toEqual([]);
});

test('what they decide otherwise about an identity around an exception is unknown', async () => {
  const wide = { id: 2000, labels: ['cidr:10.0.0.0/8', 'reserved:world'] };
  const state = writeState('wide.json', [wide, { id: 2001, labels: ['cidr:10.2.0.0/16', 'reserved:world'] }]);
  const rules = join(folder, 'except.json');
  const set = [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }];
  writeFileSync(rules, JSON.stringify([{ endpointSelector: API, egress: [{ toCIDRSet: set }] }]));
  const verdict = async (to: string, ...release: string[]) => {
    const argv = [
      'policy',
      'simulate',
      '-r',
      rules,
      '-s',
      state,
      '--from',
      'app=api',
      '--to',
      to,
      '-p',
      '80',
    ];
    const { stdout } = await run([...argv, '--cidr-match-mode', 'none', ...release]);
    return [
      /^Verdict: +(\w+)/m.exec(stdout)?.[1],
      stdout.includes('agents on the way to it decide this otherwise'),
    ];
  };
  expect(await verdict('2000', '--release', '1.16')).toEqual(['denied', false]);
  expect(await verdict('2000', '--release', '1.17.0-dev')).toEqual(['denied', false]);
  expect(await verdict('2000', '--release', '1.17.0')).toEqual(['allowed', false]);
  expect(await verdict('2000', '--release', '1.17')).toEqual(['unknown', true]);
  expect(await verdict('2000')).toEqual(['unknown', false]);
  for (const to of ['2001', '10.5.0.1'])
    expect(await verdict(to, '--release', '1.17')).toEqual(['allowed', false]);
  expect(await verdict('10.1.0.1', '--release', '1.17')).toEqual(['denied', false]);
});
