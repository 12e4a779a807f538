import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMap, openMap } from '../../src/bpf/kernel/objects.ts';
import { missingKernel, mountBpffs, type RecordedMap, restoreMap, type TestBpffs } from '../helpers/bpf.ts';
import { fixture, type RestCase, type RestExchange } from '../helpers/recordings.ts';
import { replay } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { chosen, type GoldenResult, type GoldenSuite, nameOf, resultOf } from './suite.ts';

interface BpfCase {
  argv: string[];
  at: number;
  exit: number;
  stdout: string;
}

interface BpfRecording {
  /** Seconds since boot, read behind the last case. */
  uptime: number;
  maps: RecordedMap[];
  cases: BpfCase[];
}

const ROOT = '/sys/fs/bpf';

/**
 * Restores the recorded maps into a private bpffs and runs every recorded command line on them. The reference prints in
 * the order of Go's maps and of the kernel's hash, so texts are compared as sets of lines and JSON as sets of entries.
 */
export function bpfSuite(
  file: string,
  exceptions: Record<string, string> = {},
  /** The REST answers of the same moment. */
  agentFile?: string,
): GoldenSuite {
  const read = () => fixture<BpfRecording>(`recordings/${file}`);
  return {
    file,
    exceptions,
    skip: missingKernel,
    names: () => read().cases.map(nameOf),
    async *run(only) {
      const recording = read();
      using bpffs = mountBpffs();
      const tables = maglevTables(recording.cases);
      const slots = tables[0]?.backends.length ?? 1021;
      for (const map of recording.maps) restoreMap(map, bpffs.globals, 4 * slots);
      restoreMaglev(tables, bpffs);
      const host = restoreHost(recording.cases);
      try {
        const answers = agentFile
          ? fixture<RestCase[]>(`recordings/${agentFile}`).flatMap(({ exchanges }) => exchanges)
          : identities(recording.cases);
        await using agent = await replay(answers);
        for (const recorded of chosen(recording.cases, only))
          yield await runCase(recorded, {
            bpffs,
            socket: agent.socket,
            env: { HOST_PROC: join(host, 'proc'), CILIUM_STATE_DIR: join(host, 'state') },
            uptimeMs: uptimeMs(recording, recorded),
          });
      } finally {
        rmSync(host, { recursive: true, force: true });
      }
    },
  };
}

/** The clock as it was at a case, counted back from the end. */
function uptimeMs({ uptime, cases }: BpfRecording, { at }: BpfCase): number {
  const end = Math.max(...cases.map((c) => c.at));
  return (uptime - (end - at)) * 1000;
}

interface World {
  bpffs: TestBpffs;
  socket: string;
  env: Record<string, string>;
  uptimeMs: number;
}

async function runCase(recorded: BpfCase, world: World): Promise<GoldenResult> {
  const result = await run([...recorded.argv, '--bpf-root', world.bpffs.root], {
    env: { ...world.env, CILIUM_SOCK: world.socket },
    nowMs: recorded.at * 1000,
    uptimeMs: world.uptimeMs,
  });
  const want = canonical(recorded.stdout);
  const got = canonical(result.stdout.replaceAll(world.bpffs.root, ROOT));
  const counted = COUNTING.test(nameOf(recorded)) && onlyCountersMoved(want, got);
  return resultOf(
    recorded,
    { ...result, stdout: got },
    { stdout: counted ? got : want, code: recorded.exit },
  );
}

/** What the datapath goes on counting between the dump of the maps and the run of the reference. */
const COUNTING = /^bpf (metrics list|config list|policy (list|get))/;
const MOST_MOVED = 0.05;

/** Whether the texts differ only in numbers, and those that differ were a little larger when the reference looked. */
function onlyCountersMoved(want: string, got: string): boolean {
  const masked = (text: string) => text.replaceAll(/\d+/g, '#').replaceAll(/ +/g, ' ');
  if (masked(want) !== masked(got)) return false;
  const ours = got.match(/\d+/g) ?? [];
  return (want.match(/\d+/g) ?? []).every((text, i) => {
    const [recorded, ourOwn] = [Number(text), Number(ours[i])];
    return recorded === ourOwn || (recorded > ourOwn && (recorded - ourOwn) / recorded < MOST_MOVED);
  });
}

/** The same text for all orders of the same output. */
function canonical(text: string): string {
  if (!/^[[{]/.test(text)) return withKeys(text.split('\n')).sort().join('\n');
  // Which line has no comma depends on the order.
  const lines = text
    .split('\n')
    .map((line) => line.replace(/,$/, ''))
    .sort()
    .join('\n');
  const value: unknown = JSON.parse(text);
  const entries = Array.isArray(value)
    ? value.map((entry) => JSON.stringify(entry, sortedContent)).sort()
    : [JSON.stringify(value, sortedValues)];
  return `${entries.join('\n')}\n${lines}`;
}

/** Further values of a key stand below it, in no order: each gets the key. */
function withKeys(lines: readonly string[]): string[] {
  let key = '';
  return lines.map((line) => {
    key = /^\S+/.exec(line)?.[0] ?? key;
    const blank = /^ +/.exec(line)?.[0] ?? '';
    return blank.length > key.length ? key + line.slice(key.length) : line;
  });
}

/** Values of one key of a dump come in the order of the kernel's hash. */
function sortedValues(_: string, value: unknown): unknown {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.toSorted() : value;
}

/** The lists inside a policy dump are in no order either. */
function sortedContent(key: string, value: unknown): unknown {
  return key === 'Content' && Array.isArray(value)
    ? value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    : value;
}

const output = (cases: readonly BpfCase[], argv: string) =>
  cases.find((c) => c.argv.join(' ') === argv)?.stdout ?? '';

interface MaglevTable {
  id: number;
  family: string;
  backends: number[];
}

/** Inner maps were not recorded: the tables are taken from what the reference printed of them. */
function maglevTables(cases: readonly BpfCase[]): MaglevTable[] {
  const lines = output(cases, 'bpf lb maglev list').matchAll(/^\[(\d+)\]\/v([46])\s+\[([\d ]*)\]/gm);
  return Array.from(lines, ([, id, family = '', table = '']) => ({
    id: Number(id),
    family,
    backends: table.split(' ').map(Number),
  }));
}

function restoreMaglev(tables: readonly MaglevTable[], { globals }: TestBpffs): void {
  for (const { id, family, backends } of tables) {
    using inner = createMap({ type: 'array', keySize: 4, valueSize: 4 * backends.length, maxEntries: 1 });
    const value = Buffer.alloc(4 * backends.length);
    backends.forEach((backend, i) => {
      value.writeUInt32LE(backend, 4 * i);
    });
    inner.update(Buffer.alloc(4), value);
    using outer = openMap(join(globals, `cilium_lb${family}_maglev`), { write: true });
    const key = Buffer.alloc(2);
    key.writeUInt16BE(id);
    outer.updateObject(key, inner);
  }
}

/** Files of the node that commands read: the mounts and the compiled templates, as the outputs tell them. */
function restoreHost(cases: readonly BpfCase[]): string {
  const host = mkdtempSync(join(tmpdir(), 'bpf-host-'));
  mkdirSync(join(host, 'proc/self'), { recursive: true });
  const shown = output(cases, 'bpf fs show -o json');
  if (shown !== '') {
    const m = JSON.parse(shown) as Record<string, string | number>;
    writeFileSync(
      join(host, 'proc/self/mountinfo'),
      `1 0 0:1 / / rw - ext4 /dev/root rw\n${m.MountID} ${m.ParentID} ${m.StDev} ${m.Root} ${m.MountPoint} ${m.MountOptions} - ${m.FilesystemType} ${m.MountSource} ${m.SuperOptions}\n`,
    );
  }
  mkdirSync(join(host, 'state/templates'), { recursive: true });
  let sha = '';
  for (const [, name, endpoint = '-'] of output(cases, 'bpf sha list').matchAll(
    /^([0-9a-f]{64})?\s+(\d+|-)\s*$/gm,
  )) {
    sha = name ?? sha;
    mkdirSync(join(host, 'state/templates', sha), { recursive: true });
    const header = output(cases, `bpf sha get ${sha}`);
    if (header !== '') writeFileSync(join(host, 'state/templates', sha, 'ep_config.h'), header);
    if (endpoint === '-') continue;
    mkdirSync(join(host, 'state', endpoint));
    writeFileSync(join(host, 'state', endpoint, 'template.txt'), `${sha}\n`);
  }
  return host;
}

interface PolicyDump {
  Content: { Key: { Identity: number } }[];
}

/**
 * Answers to GET /identity/{id}: from the REST recording of the same agent, and for the identities that it lacks from
 * the labels that the reference printed in the place of their numbers.
 */
function identities(cases: readonly BpfCase[]): RestExchange[] {
  const answers = new Map<string, RestExchange>();
  const dumps = JSON.parse(output(cases, 'bpf policy list -o json') || '[]') as PolicyDump[];
  const ids = dumps.flatMap(({ Content }) => Content.map(({ Key }) => Key.Identity));
  const blocks = labelBlocks(output(cases, 'bpf policy list'));
  if (ids.length !== blocks.length) throw new Error('the two dumps of the policy maps do not pair up');
  ids.forEach((id, i) => {
    answers.set(`/v1/identity/${id}`, answer(id, blocks[i] ?? []));
  });
  for (const { exchanges } of fixture<RestCase[]>('recordings/agent-1.20.json'))
    for (const exchange of exchanges)
      if (/^\/v1\/identity\/\d+$/.test(exchange.request.path)) answers.set(exchange.request.path, exchange);
  return [...answers.values()];
}

function answer(id: number, labels: readonly string[]): RestExchange {
  return {
    request: { method: 'GET', path: `/v1/identity/${id}` },
    response: {
      status: 200,
      contentType: 'application/json',
      body: JSON.stringify({
        id: Number(id),
        labels: labels.map((l) => (l === 'ANY' ? 'reserved:unknown' : l)),
      }),
    },
  };
}

/** Labels of each entry of a policy table: its first line names the policy, the others only a label. */
function labelBlocks(table: string): string[][] {
  const blocks: string[][] = [];
  for (const line of table.split('\n')) {
    const entry = /^(?:Allow|Deny)\s+\w+\s+(\S+)/.exec(line);
    const more = /^\s+(\S+)\s*$/.exec(line);
    if (entry) blocks.push([entry[1] ?? '']);
    else if (more) blocks.at(-1)?.push(more[1] ?? '');
  }
  return blocks;
}
