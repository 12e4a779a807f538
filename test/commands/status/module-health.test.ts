import { expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';

const NOW = Date.parse('2026-11-28T12:00:20Z');
const at = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const status = {
  cilium: { state: 'Ok', msg: '1.15.3 (v1.15.3-abc)' },
  controllers: [{ name: 'cilium-health-ep', status: {} }],
};
const leaf = (name: string, level: string, message: string, count = 1) => ({
  name,
  level,
  message,
  count,
  timestamp: at(20),
});
const modules = [
  {
    'module-id': 'm1',
    level: 'OK',
    message: JSON.stringify({ ...leaf('m1', 'OK', 'status nominal', 0), timestamp: at(2) }),
  },
  {
    'module-id': 'a.b.c',
    level: 'Degraded',
    message: JSON.stringify({
      name: 'a.b.c',
      level: 'OK',
      sub_statuses: [
        { name: 'fred', level: 'OK', sub_statuses: [leaf('blee', 'OK', 'doh'), leaf('fred', 'OK', 'yo')] },
        { ...leaf('dork', 'Degraded', 'bozo'), error: 'BOOM!' },
      ],
    }),
  },
  { 'module-id': 'later', level: 'Unknown', message: '' },
];

async function show(...flags: string[]) {
  await using agent = await agentOf({
    'GET /v1/healthz': { body: status },
    'GET /v1/health': { body: { modules } },
  });
  const { stdout, code } = await agent.run(['status', ...flags], { nowMs: NOW });
  expect(code).toBe(0);
  return stdout.slice(stdout.indexOf('Modules Health:'));
}

test('the modules of 1.15 are counted whole, and those that have said nothing too', async () => {
  expect(await show()).toMatch(/^Modules Health: +Stopped\(0\) Degraded\(1\) OK\(1\) Unknown\(1\)\n$/);
});

test('the reports of 1.15 stand on inner nodes as well, in the order of the modules', async () => {
  expect(await show('--verbose')).toBe(`Modules Health:
agent
├── a
│   └── b
│       └── c
│           ├── fred                                        [OK] yo (20s, x1)
│           │   └── blee                                    [OK] doh (20s, x1)
│           └── dork                                        [DEGRADED] bozo -- BOOM! (20s, x1)
└── m1                                                      [OK] status nominal (2s, x0)

`);
});

test('an agent of 1.15 without them is told of on stderr', async () => {
  await using agent = await agentOf({ 'GET /v1/healthz': { body: status } });
  const { stdout, stderr, code } = await agent.run(['status'], { nowMs: NOW });
  expect(code).toBe(0);
  expect(stdout).toMatch(/\nModules Health: +Stopped\(0\) Degraded\(0\) OK\(0\) Unknown\(0\)\n$/);
  expect(stderr).toBe('This agent does not report the health of its modules.\n');
});
