import { expect, test } from '@jest/globals';
import type { Answer, Decision } from '../../../../src/policy/evaluate/decide/decide.ts';
import { decideConnection } from '../../../../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../../../../src/policy/evaluate/decide/engine.ts';
import { DIRECTIONS } from '../../../../src/policy/evaluate/maps/compile-rule.ts';
import { protocolNumber } from '../../../../src/policy/evaluate/maps/ports.ts';
import {
  type Identity,
  identityOf,
  isReserved,
} from '../../../../src/policy/evaluate/selectors/identities.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';
import { fixture } from '../../../helpers/recordings.ts';

interface Trace {
  identities: { id: number; labels: string[] }[];
  sets: {
    name: string;
    rules: unknown[];
    probes: { from: number; to: number; port: number; proto: string; ref?: Answer }[];
  }[];
}

/**
 * What `policy trace` of 1.10 does and its maps do not: it holds rules against peers that are no endpoints, does not
 * enforce `init`, passes over rules that only deny, and takes an allow for every peer before a deny.
 */
function isQuirk(engine: PolicyEngine, ends: readonly Identity[], decisions: readonly Decision[]): boolean {
  const noEndpoint = ends.some((end) => end.labels.some(({ source }) => source === 'reserved'));
  const init = ends.some((end) => isReserved(end, 'init'));
  const denies = ends.some((end) =>
    engine
      .rulesFor(end)
      .some(({ parts }) =>
        DIRECTIONS.some((own) => parts.some((part) => part.direction === own && part.deny)),
      ),
  );
  return noEndpoint || init || (denies && decisions.some(({ answer }) => answer === 'denied'));
}

test('verdicts for 1.10 are those of policy trace, apart from its quirks', async () => {
  const { identities, sets } = fixture<Trace>('recordings/trace-1.10.json');
  const known = identities.map(({ id, labels }) => identityOf(id, labels));
  const different: string[] = [];
  let [asked, quirks] = [0, 0];
  for (const { name, rules, probes } of sets) {
    const text = JSON.stringify(rules);
    const read = await parsePolicies([{ file: 'r.json', text }], { target: '1.10', strict: false });
    const engine = new PolicyEngine(known, [], { release: '1.10' }).addAll(read.rules);
    for (const { from, to, port, proto, ref } of probes) {
      // The agent did not answer.
      if (ref === undefined) continue;
      const [source, destination] = [engine.identities.get(from), engine.identities.get(to)];
      if (!source || !destination) throw new Error(`${name} names an unknown identity`);
      const traffic = { protocol: protocolNumber(proto), port };
      const { answer, egress, ingress } = decideConnection(engine, source, destination, traffic);
      asked++;
      if (answer === ref) continue;
      if (isQuirk(engine, [source, destination], [egress, ingress])) quirks++;
      else different.push(`${name} ${from} -> ${to}:${port}/${proto}: ${answer}, recorded ${ref}`);
    }
  }
  expect(different).toEqual([]);
  expect(asked).toBe(860);
  expect(quirks).toBeLessThanOrEqual(71);
});
