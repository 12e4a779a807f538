import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { kubeYaml } from '../../../src/render/text/kube-yaml.ts';

test('an object looks as kubectl shows it', () => {
  const node = {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { name: 'node1', labels: { 'kubernetes.io/os': 'linux', on: 'true' }, annotations: {} },
    spec: { podCIDRs: ['10.11.0.0/16', 'fd00:11::/96'], taints: [] },
    status: { conditions: [{ type: 'Ready', status: 'True', at: null }], lines: [['a', 'b'], []] },
  };
  expect(kubeYaml(node)).toBe(`apiVersion: v1
kind: Node
metadata:
  annotations: {}
  labels:
    kubernetes.io/os: linux
    "on": "true"
  name: node1
spec:
  podCIDRs:
  - 10.11.0.0/16
  - fd00:11::/96
  taints: []
status:
  conditions:
  - at: null
    status: "True"
    type: Ready
  lines:
  - - a
    - b
  - []
`);
});

test('keys are in the order of the library that kubectl has', () => {
  expect(kubeYaml({ aB: 1, a_c: 1, 'a-d': 1, a10: 1, a9: 1, a1b: 1 }).match(/^[^:]+/gm)).toEqual([
    'a-d',
    'a_c',
    'a1b',
    'a9',
    'a10',
    'aB',
  ]);
});

test('texts of several lines are read back as they were', () => {
  const value = {
    a: 'one\ntwo\n',
    b: ['x\n\ny', '  begins with space\nand more\n', '\n', 'tab\there', 'ends\n\n'],
    c: { 'key: odd': '- x', d: '# no comment', e: '1e3', f: '\u0007' },
  };
  expect(parse(kubeYaml(value))).toEqual(value);
  expect(kubeYaml({ a: 'one\ntwo\n' })).toBe('a: |\n  one\n  two\n');
});
