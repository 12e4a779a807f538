import { expect, test } from '@jest/globals';
import {
  agentFolder,
  fileSafe,
  fileTime,
  flowsFile,
  logFile,
  parseTimedFile,
  timedFile,
} from '../../src/archive/layout.ts';

const TIME = '20261129-070503';

test('the time in names is the local one', () => {
  expect(fileTime(new Date(2026, 10, 29, 7, 5, 3))).toBe(TIME);
});

test.each([
  [timedFile('k8s-nodes', TIME, 'yaml'), { stem: 'k8s-nodes', rest: '', extension: 'yaml' }],
  [
    logFile('cilium-x', 'cilium-agent', TIME),
    { stem: 'logs-cilium-x-cilium-agent', rest: '', extension: 'log' },
  ],
  [logFile('cilium-x', 'a', TIME, true), { stem: 'logs-cilium-x-a', rest: 'prev', extension: 'log' }],
  [flowsFile('cilium-x', TIME), { stem: 'hubble-flows-cilium-x', rest: '', extension: 'json' }],
])('%s is read back', (name, parts) => {
  expect(parseTimedFile(name)).toEqual({ time: TIME, ...parts });
});

test('other names have no time', () => {
  expect(parseTimedFile('kvstore-ips.json')).toBeUndefined();
});

test('no name leads out of its folder', () => {
  expect(agentFolder('../../etc')).toBe('agents/.._.._etc');
  expect(['..', '.', '', 'a/b', 'worker-1.example', 'a\nb'].map(fileSafe)).toEqual([
    '_',
    '_',
    '_',
    'a_b',
    'worker-1.example',
    'a_b',
  ]);
});
