import { expect, test } from '@jest/globals';
import type { Answer } from '../../../../src/policy/evaluate/decide/decide.ts';
import { decideConnection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { protocolNumber } from '../../../../src/policy/evaluate/maps/ports.ts';
import { identityOf } from '../../../../src/policy/evaluate/selectors/identities.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';
import { fixture } from '../../../helpers/recordings.ts';
import { QUIRKS, type Quirk, traceWith } from './old-trace.ts';

interface Trace {
  identities: { id: number; labels: string[] }[];
  sets: {
    name: string;
    rules: unknown[];
    probes: { from: number; to: number; port: number; proto: string; ref?: Answer }[];
  }[];
}

/** The verdicts that differ, by set and probe, with the quirks that each needs. */
const DIFFERING =
  fixture<Record<string, { ours: Answer; recorded: Answer; quirks: Quirk[] }>>('trace-1.10-quirks.json');

/** Every choice of quirks, fewest first. */
const COMBINATIONS = Array.from({ length: 2 ** QUIRKS.length }, (_, chosen) =>
  QUIRKS.filter((_quirk, i) => ((chosen >> i) & 1) === 1),
).toSorted((a, b) => a.length - b.length);

interface Verdict {
  name: string;
  ours: Answer;
  recorded: Answer;
  traced: (quirks: readonly Quirk[]) => Answer;
}

async function verdicts(): Promise<Verdict[]> {
  const { identities, sets } = fixture<Trace>('recordings/trace-1.10.json');
  const known = identities.map(({ id, labels }) => identityOf(id, labels));
  const all: Verdict[] = [];
  for (const [i, { name, rules, probes }] of sets.entries()) {
    const text = JSON.stringify(rules);
    const read = await parsePolicies([{ file: 'r.json', text }], { target: '1.10', strict: false });
    const engine = new PolicyEngine(known, [], { release: '1.10' }).addAll(read.rules);
    for (const { from, to, port, proto, ref } of probes) {
      // The agent did not answer.
      if (ref === undefined) continue;
      const [source, destination] = [engine.identities.get(from), engine.identities.get(to)];
      if (!source || !destination) throw new Error(`${name} names an unknown identity`);
      const traffic = { protocol: protocolNumber(proto), port };
      all.push({
        // Sets share names.
        name: `${i} ${name} ${from} -> ${to}:${port}/${proto}`,
        ours: decideConnection(engine, source, destination, traffic).answer,
        recorded: ref,
        traced: (quirks) => traceWith(engine, [source, destination], traffic, new Set(quirks)),
      });
    }
  }
  return all;
}

const ALL = await verdicts();

test('with its quirks, the trace of 1.10 gives every recorded verdict', () => {
  const wrong = ALL.filter(({ traced, recorded }) => traced(QUIRKS) !== recorded);
  expect([ALL.length, wrong.map(({ name }) => name)]).toEqual([860, []]);
});

test('without them it gives ours', () => {
  expect(ALL.filter(({ traced, ours }) => traced([]) !== ours).map(({ name }) => name)).toEqual([]);
});

test('verdicts for 1.10 are those of policy trace, but for those that a quirk explains', () => {
  const differing = ALL.filter(({ ours, recorded }) => ours !== recorded);
  const explained = differing.map(({ name, ours, recorded, traced }) => {
    const fewest = COMBINATIONS.find((quirks) => traced(quirks) === recorded) ?? [];
    const others = COMBINATIONS.filter(
      (quirks) => quirks.length <= fewest.length && quirks !== fewest && traced(quirks) === recorded,
    );
    return [name, { ours, recorded, quirks: others.length > 0 ? ['not one alone'] : fewest }];
  });
  expect(Object.fromEntries(explained)).toEqual(DIFFERING);
});

test('each of the quirks explains some, and two need two', () => {
  const counts = new Map<string, number>();
  for (const { quirks } of Object.values(DIFFERING))
    counts.set(quirks.join(' + '), (counts.get(quirks.join(' + ')) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({
    'any-subject': 30,
    'deny-only': 23,
    'init-open': 12,
    'wildcard-first': 4,
    'deny-only + init-open': 2,
  });
});
