import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { decodeEvents, readEvents } from '../../../src/bpf/kernel/events.ts';
import { BpfProgram, createMap, openMap, openPin, openProgramById } from '../../../src/bpf/kernel/objects.ts';
import { buildHelper, missingKernel, mountBpffs, type TestBpffs } from '../../helpers/bpf.ts';
import { kernelTest } from '../../helpers/kernel-test.ts';
import fc from '../../helpers/properties.ts';

/** Sends the number of its call to both kinds of buffer. */
const SOURCE = `
#include <linux/bpf.h>
#define SEC(name) __attribute__((section(name), used))
static long (*ringbuf_output)(void *, void *, __u64, __u64) = (void *)130;
static long (*perf_event_output)(void *, void *, __u64, void *, __u64) = (void *)25;
struct { int (*type)[BPF_MAP_TYPE_RINGBUF]; int (*max_entries)[4096]; } ring SEC(".maps");
struct { int (*type)[BPF_MAP_TYPE_PERF_EVENT_ARRAY]; int (*key_size)[4]; int (*value_size)[4]; int (*max_entries)[64]; } perf SEC(".maps");
struct count { __u32 calls; __u16 flags : 3, rest : 13; __u8 tag[2]; };
struct { int (*type)[BPF_MAP_TYPE_ARRAY]; __u32 *key; struct count *value; int (*max_entries)[1]; } counts SEC(".maps");
static void *(*lookup)(void *, const void *) = (void *)1;
SEC("xdp") int probe(struct xdp_md *ctx) {
    __u32 zero = 0;
    struct count *count = lookup(&counts, &zero);
    if (!count) return XDP_PASS;
    count->calls++;
    count->flags = 5;
    count->tag[1] = 9;
    __u64 data[3] = {count->calls, 2, 3};
    ringbuf_output(&ring, data, sizeof(data), 0);
    perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, data, sizeof(data));
    return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
`;

/** The loaded program in a private bpffs, or why there is none. */
function prepare(): { bpffs: TestBpffs; packet: string } | { missing: string } {
  const missing = missingKernel();
  if (missing !== undefined) return { missing };
  const bpffs = mountBpffs();
  const folder = mkdtempSync(join(tmpdir(), 'probe-'));
  try {
    const [source, object, packet] = ['probe.c', 'probe.o', 'packet'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(source, SOURCE);
    writeFileSync(packet, Buffer.alloc(64));
    const includes = ['x86_64', 'aarch64'].map((machine) => `-I/usr/include/${machine}-linux-gnu`);
    const steps = [
      ['clang', '-O2', '-g', '-target', 'bpf', ...includes, '-c', source, '-o', object],
      ['bpftool', 'prog', 'load', object, join(bpffs.root, 'probe'), 'type', 'xdp', 'pinmaps', bpffs.root],
    ] as const;
    for (const [command, ...args] of steps) {
      const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(error?.message ?? `${command}: ${stderr.trim()}`);
    }
    return { bpffs, packet };
  } catch (error) {
    bpffs[Symbol.dispose]();
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

const probe = prepare();
afterAll(() => {
  if (!('bpffs' in probe)) return;
  probe.bpffs[Symbol.dispose]();
  rmSync(dirname(probe.packet), { recursive: true });
});

const pin = (name: string) => join('bpffs' in probe ? probe.bpffs.root : '', name);

function runProgram(times: number): void {
  const packet = 'packet' in probe ? probe.packet : '';
  const args = ['prog', 'run', 'pinned', pin('probe'), 'data_in', packet, 'repeat', String(times)];
  const result = spawnSync('bpftool', args, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(result.stderr);
}

/** A test that also needs clang and bpftool; elsewhere it is skipped and its title says why. */
function programTest(title: string, body: () => Promise<void>): void {
  if ('bpffs' in probe) test(title, body);
  else test.skip(`${title} (skipped: ${probe.missing})`, body);
}

async function take(name: string, count: number): Promise<number[]> {
  using map = openMap(pin(name), { write: true });
  const stop = new AbortController();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const event of readEvents(map, { signal: stop.signal, pages: 8 })) {
      if ('lost' in event) continue;
      seen.push(Number(event.data.readBigUInt64LE()));
      expect(event.data.readBigUInt64LE(16)).toBe(3n);
      if (seen.length >= count) stop.abort();
    }
  })();
  runProgram(count);
  await reading;
  return seen;
}

describe('events', () => {
  for (const name of ['ring', 'perf'])
    programTest(`of a ${name} buffer come in order, over its end and on`, async () => {
      // 40 bytes each in a ring of 4096: it wraps several times over the rounds.
      for (let round = 0; round < 5; round++) {
        const seen = await take(name, 90);
        expect(seen).toHaveLength(90);
        expect(seen.every((n, i) => i === 0 || n === (seen[i - 1] ?? 0) + 1)).toBe(true);
      }
    });

  programTest('that do not come leave the reader waiting until it is stopped', async () => {
    using map = openMap(pin('ring'), { write: true });
    const started = performance.now();
    // A reader that is not woken looks only once a second whether it was stopped.
    for (let round = 0; round < 30; round++) {
      const stop = new AbortController();
      setImmediate(() => stop.abort());
      for await (const event of readEvents(map, { signal: stop.signal })) expect('data' in event).toBe(true);
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  kernelTest('come only from maps that have them', async () => {
    buildHelper();
    using map = createMap({ type: 'array', keySize: 4, valueSize: 4, maxEntries: 1 });
    await expect(readEvents(map).next()).rejects.toThrow('read events of map : invalid argument');
  });

  test('are split whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
        for (const event of decodeEvents(Buffer.from(raw)))
          if ('data' in event) expect(event.data.length).toBeLessThanOrEqual(raw.length);
      }),
    );
  });
});

describe('a program', () => {
  programTest('is opened by its pin and by its id, and names its maps', async () => {
    using program = openPin(pin('probe'));
    if (!(program instanceof BpfProgram)) throw new Error('no program');
    expect(program.info).toMatchObject({
      type: 'xdp',
      name: 'probe',
      tag: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    using again = openProgramById(program.info.id);
    expect(again.mapIds().sort()).toEqual(
      ['counts', 'perf', 'ring']
        .map((name) => {
          using map = openMap(pin(name));
          return map.info.id;
        })
        .sort(),
    );
  });

  programTest('has maps that are decoded by their types', async () => {
    runProgram(1);
    const { dumpMap } = await import('../../../src/bpf/maps/dump.ts');
    using map = openMap(pin('counts'));
    const entries: unknown[] = [];
    for await (const entry of dumpMap(map, { release: '1.20', raw: false })) entries.push(entry);
    expect(entries).toEqual([
      { key: 0, value: { calls: expect.any(Number), flags: 5, rest: 0, tag: [0, 9] } },
    ]);
  });
});
