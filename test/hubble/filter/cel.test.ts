import { describe, expect, test } from '@jest/globals';
import { compileCel } from '../../../src/hubble/filter/cel.ts';
import type { Flow } from '../../../src/model/hubble.gen.ts';

const flow: Flow = {
  verdict: 'DROPPED',
  is_reply: true,
  l4: { TCP: { source_port: 5000, destination_port: 80 } },
  source: { ID: 7, labels: ['k8s:app=web'] },
};

describe('an expression', () => {
  test.each([
    ['_flow.verdict == Verdict.DROPPED', true],
    ['_flow.verdict == flow.Verdict.FORWARDED', false],
    ['_flow.l4.TCP.destination_port == 80u', true],
    ['int(_flow.l4.TCP.destination_port) == 80', true],
    ['int(_flow.source.ID) > 7', false],
    ['_flow.source == null', false],
    ['_flow.l7 != null', true],
    ['_flow.is_reply == null', false],
    ['_flow.is_reply != null && _flow.is_reply', true],
    ['_flow.source.labels.exists(l, size(l) > 3u)', true],
    ['has(_flow.l7)', false],
  ])('%s is %s', async (expression, expected) => {
    expect((await compileCel([expression]))(flow)).toBe(expected);
  });

  // Each was refused by the reference, and a server would refuse it too.
  test.each([
    ['_flow.l4.TCP.destination_port == 80', /no such overload: uint == int/],
    ['_flow.source.ID > 5', /no ">" between uint and int: an unsigned number is written 80u/],
    ['_flow.verdict == 1u', /int == uint/],
    ['1 == 1.0', /int/],
    ['true && (_flow.source.ID != 5)', /uint != int/],
    ['Verdict.NOPE == 2', /the enum Verdict has no value NOPE/],
    ['_flow.is_reply', /expected a boolean, found dyn/],
    ['dyn(true)', /expected a boolean/],
    ['_flow.verdict', /expected a boolean, found int/],
    ['_flow.source.pod_name == null', /null/],
    ['_flow.nope == 1', /nope/],
  ])('%s is refused', async (expression, message) => {
    await expect(compileCel([expression])).rejects.toThrow(message);
  });
});

// differs: cel-messages
test('messages are compared with null alone, and their fields may be named by an index', async () => {
  await expect(compileCel(['_flow.source == _flow.destination'])).rejects.toThrow(/failed to compile/);
  expect((await compileCel(['_flow["uuid"] == ""']))(flow)).toBe(true);
});
