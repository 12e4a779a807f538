import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { type BpfMap, createMap, openMapById, openObjects } from '../../../src/bpf/kernel/objects.ts';
import { endpointInfo, endpointKey } from '../../../src/bpf/layouts/endpoints.ts';
import { encode } from '../../../src/bpf/maps/codec.ts';
import { mountBpffs } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import { run } from '../../helpers/run.ts';

/** Sizes that no release gave the maps of these names. */
function foreign(name: string): BpfMap {
  return createMap({ name, type: 'hash', keySize: 3, valueSize: 5, maxEntries: 4 });
}

function endpoints(ip: string, endpointId: number): BpfMap {
  const map = createMap({ name: 'cilium_lxc', type: 'hash', keySize: 20, valueSize: 48, maxEntries: 4 });
  map.update(encode(endpointKey, { ip }), encode(endpointInfo, { endpointId }));
  return map;
}

describe('maps of somebody else that are named like those of the agent', () => {
  kernelTest('do not stand in for the pinned ones', async () => {
    using theirs = mountBpffs();
    using ours = mountBpffs();
    using own = endpoints('10.0.0.1', 1);
    own.pin(join(ours.globals, 'cilium_lxc'));
    using pinned = endpoints('10.0.0.2', 2);
    pinned.pin(join(theirs.globals, 'cilium_lxc'));
    using loaded = endpoints('10.0.0.3', 3);
    using odd = foreign('cilium_metrics');
    odd.pin(join(theirs.globals, 'cilium_metrics'));
    const bpf = (...words: string[]) => run(['bpf', ...words, '--bpf-root', ours.root]);

    expect((await bpf('endpoint', 'list')).stdout).toMatch(/\n10\.0\.0\.1:0 +id=1 [^\n]*\n$/);
    expect((await bpf('metrics', 'list')).stderr).toContain(`${ours.globals}/cilium_metrics: no such file`);
    expect((await bpf('maps', 'dump', 'cilium_lxc')).stdout).toContain('"ip":"10.0.0.1"');
    expect((await bpf('maps', 'list')).stdout).not.toContain('cilium_metrics');
    expect((await bpf('endpoint', 'delete', '10.0.0.1')).code).toBe(0);
    expect([pinned, loaded].map((map) => map.info.keySize)).toEqual([20, 20]);
    expect(pinned.lookup(encode(endpointKey, { ip: '10.0.0.2' }))).toBeDefined();
    const names = Array.from(
      openObjects('map', (id) => openMapById(id)),
      ({ info }) => info.name,
    );
    expect(names.filter((name) => name === 'cilium_lxc').length).toBeGreaterThanOrEqual(3);
  });

  kernelTest('are refused when they are pinned in the place of the agent’s, and dumped in hex', async () => {
    using bpffs = mountBpffs();
    for (const name of ['cilium_lxc', 'cilium_ipcache_v2', 'cilium_ct4_global', 'cilium_policy_v2_00007']) {
      using map = foreign(name);
      map.update(Buffer.from('010203', 'hex'), Buffer.from('0405060708', 'hex'));
      map.pin(join(bpffs.globals, name));
      expect((await run(['bpf', 'maps', 'dump', name, '--bpf-root', bpffs.root])).stdout).toBe(
        '{"key":"010203","value":"0405060708"}\n',
      );
    }
    for (const words of [
      'endpoint list',
      'ipcache list',
      'ct list global',
      'ct list global -o json',
      'policy get 7 -n',
    ]) {
      const { stderr, code } = await run(['bpf', ...words.split(' '), '--bpf-root', bpffs.root]);
      expect(stderr).toContain('has keys of 3 and values of 5 bytes, which no known release gave it');
      expect(code).toBe(1);
    }
    using policy = createMap({
      name: 'cilium_policy_v2_00008',
      type: 'lpm_trie',
      keySize: 12,
      valueSize: 8,
      maxEntries: 4,
      flags: 1,
    });
    policy.pin(join(bpffs.globals, 'cilium_policy_v2_00008'));
    const all = await run(['bpf', 'policy', 'get', '--all', '-n', '--bpf-root', bpffs.root]);
    expect(all.stdout).toMatch(/^Endpoint ID: 8\n/);
    expect(all.stderr).toMatch(
      /^Error: not read: .*cilium_policy_v2_00007 has keys of 3 and values of 5 bytes/,
    );
    expect(all.code).toBe(1);
    rmSync(join(bpffs.globals, 'cilium_policy_v2_00008'));
    const doctor = await run(['doctor', '--bpf-root', bpffs.root]);
    expect(doctor.stdout).toContain('4 pinned maps can be read');
    expect(doctor.stderr).not.toContain('toolkit itself');
  });
});
