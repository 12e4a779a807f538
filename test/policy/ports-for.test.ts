import { expect, test } from '@jest/globals';
import { PolicyEngine } from '../../src/policy/evaluate/decide/engine.ts';
import { portFits, portsFor } from '../../src/policy/evaluate/decide/ports-of-traffic.ts';
import type { PortSpec } from '../../src/policy/evaluate/maps/compile-rule.ts';
import fc from '../helpers/properties.ts';

const protocol = fc.constantFrom(0, 6, 17, 132);
const port = fc.constantFrom(0, 1, 53, 80, 443, 8080, 65_535);
const spec = fc
  .record({ protocol, port, endPort: port, perhaps: fc.option(fc.constant('a release'), { nil: undefined }) })
  .map(
    ({ perhaps, ...numbers }): PortSpec => ({
      ...numbers,
      name: '',
      redirect: false,
      listener: '',
      priority: 0,
      l7: undefined,
      serverNames: [],
      ...(perhaps && { perhaps }),
    }),
  );

test('a long list of ports is looked up, and decides as if each was tried in its order', () => {
  const engine = new PolicyEngine([], [], {});
  const identity = { id: 1, labels: [], names: [], prefixes: [] } as never;
  const traffic = fc.record({
    protocol: fc.option(fc.constantFrom(6, 17, 132, 1), { nil: undefined }),
    port: fc.option(port, { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(spec, { minLength: 16, maxLength: 60 }), traffic, (ports, asked) => {
      const fits = (one: PortSpec) =>
        portFits(one, { direction: 'egress', subject: identity, peer: identity, traffic: asked }, engine);
      expect(portsFor(ports, asked).filter((one) => fits(one) !== false)).toEqual(
        ports.filter((one) => fits(one) !== false),
      );
    }),
    { numRuns: 2000 },
  );
});
