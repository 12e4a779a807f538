import { expect, test } from '@jest/globals';
import { lineReader } from '../../../src/hubble/captures/line-reader.ts';
import { parseRecord } from '../../../src/hubble/captures/record-line.ts';
import { GroupReader } from '../../../src/hubble/groups/group-reader.ts';
import { emptyState } from '../../../src/policy/evaluate/decide/cluster-state.ts';
import { ALIKE_FIELDS } from '../../../src/policy/evaluate/decide/connections.ts';
import { PolicyEngine } from '../../../src/policy/evaluate/decide/engine.ts';
import { Peers } from '../../../src/policy/evaluate/decide/peers.ts';
import { type AlikeFlows, FlowTable } from '../../../src/policy/reports/flow-table.ts';
import { fixtureText } from '../../helpers/recordings.ts';

const RECORDED = ['flows-1.14', 'flows-1.20', 'flows-1.20-release', 'flows-random'];

function newTable(): FlowTable {
  return new FlowTable(new Peers(new PolicyEngine([], []), emptyState()));
}

function shown(table: FlowTable) {
  return {
    total: table.total,
    skipped: [...table.skipped],
    unread: table.unread,
    settings: table.facts.settingsBeside({}),
    connections: [...table.connections],
    named: [...table.connections].map(({ connection }) => table.named(connection.destination)),
  };
}

/** Reads the lines in groups, in chunks of whole lines. */
async function inGroups(lines: readonly string[], perChunk: number) {
  const problems: string[] = [];
  const reader = await lineReader({ allow: [], deny: [] }, ({ kind, number }) =>
    problems.push(`${kind} ${number}`),
  );
  const table = newTable();
  const groups = new GroupReader<AlikeFlows>(reader, ALIKE_FIELDS, {
    flow: (flow) => table.add(flow),
    group: (first) => table.alike(first),
    member: (group, source, destination, uuid) => table.addAlike(group, source, destination, uuid),
  });
  for (let i = 0; i < lines.length; i += perChunk)
    groups.read(Buffer.from(lines.slice(i, i + perChunk).join('\n') + (i % 2 ? '' : '\n')));
  return { table, problems };
}

function oneByOne(lines: readonly string[]): FlowTable {
  const table = newTable();
  for (const line of lines) {
    const { flow } = line.trim() === '' ? {} : parseRecord(line, { ignoreUnknown: true });
    if (flow) table.add(flow);
  }
  return table;
}

/** The lines again and again, with uuids and ports of their own. */
function repeated(lines: readonly string[], times: number): string[] {
  return Array.from({ length: times }, (_, round) =>
    lines.map((line, i) =>
      line
        .replace(
          /"uuid":"[^"]*"/,
          `"uuid":"00000000-0000-4000-8000-${String(round * 1000 + i).padStart(12, '0')}"`,
        )
        .replace(/"source_port":\d+/, `"source_port":${1 + ((round * 7919 + i) % 65_535)}`)
        .replace(/"destination_port":(\d+)/, (text) => (round % 3 === 2 ? '"destination_port":40000' : text)),
    ),
  ).flat();
}

const linesOf = (name: string) => fixtureText(`recordings/${name}.jsonl`).trimEnd().split('\n');

/** The random lines are damaged here and there. */
function isRecord(line: string): boolean {
  try {
    return parseRecord(line, { ignoreUnknown: false }).flow !== undefined;
  } catch {
    return false;
  }
}

test.each(RECORDED)('a table of %s is the same in groups as flow by flow', async (name) => {
  const lines = repeated(linesOf(name).filter(isRecord), 12);
  for (const perChunk of [lines.length, 61]) {
    const { table, problems } = await inGroups(lines, perChunk);
    expect(problems).toEqual([]);
    expect(shown(table)).toEqual(shown(oneByOne(lines)));
  }
});

test.each([
  ['without what says which end opened it', (line: string) => line.replace(/,?"is_reply":(true|false)/, '')],
  ['without verdicts', (line: string) => line.replace(/"verdict":"[A-Z]*",?/, '')],
  [
    'without ports',
    (line: string) => line.replaceAll(/"(source|destination)_port":\d+,?/g, '').replaceAll(',}', '}'),
  ],
  ['with spaces', (line: string) => JSON.stringify(JSON.parse(line), null, 1).replaceAll('\n', ' ')],
  ['with carriage returns', (line: string) => `${line}\r`],
  ['with empty lines', (line: string, i: number) => (i % 3 ? line : `\n${line}\n\n`)],
  [
    'with other orders',
    (line: string) => `{"time":"2026-01-01T00:00:00Z",${line.slice(1).replace(/,"time":"[^"]*"\}$/, '}')}`,
  ],
  [
    'with names that are newer',
    (line: string) => line.replace('{"flow":{', '{"flow":{"newer":{"uuid":"x"},'),
  ],
  ['with escapes', (line: string) => line.replace('"pod_name":"', '"pod_name":"\\u0061\\"uuid\\":\\"')],
])('flows %s are the same in groups as one by one', async (_, change) => {
  const lines = repeated(linesOf('flows-1.20'), 3).map(change).join('\n').split('\n');
  const { table } = await inGroups(lines, 100);
  expect(shown(table)).toEqual(shown(oneByOne(lines)));
});

test('ports that are spelled otherwise are the same ports', async () => {
  const spelled = [
    (text: string) => `"${text}"`,
    (text: string) => `"\\u003${text[0]}${text.slice(1)}"`,
    String,
  ];
  const lines = repeated(linesOf('flows-1.20').slice(0, 40), 6).map((line, i) =>
    line.replaceAll(
      /(_port":)(\d+)/g,
      (_, name: string, port: string) => name + (spelled[i % 3]?.(port) ?? ''),
    ),
  );
  const { table, problems } = await inGroups(lines, 100);
  expect([problems, shown(table)]).toEqual([[], shown(oneByOne(lines))]);
});

test('more groups than are remembered come back', async () => {
  const [line = ''] = linesOf('flows-1.20').filter((each) => each.includes('"TCP"'));
  const lines = Array.from({ length: 20_000 }, (_, i) =>
    line.replace(/"IP":\{"source":"[^"]*"/, `"IP":{"source":"10.${(i >> 8) % 80}.${i & 255}.9"`),
  );
  const { table } = await inGroups(lines, 5000);
  expect(shown(table)).toEqual(shown(oneByOne(lines)));
});

test('a line that is no flow is told with its number, between groups', async () => {
  const lines = repeated(linesOf('flows-1.20'), 2);
  lines.splice(120, 0, 'no flow', '', '{"flow":{"verdict":7.5}}');
  const { table, problems } = await inGroups(lines, 75);
  expect(problems).toEqual(['bad-line 121', 'bad-line 123']);
  expect(table.total).toBe(lines.length - 3);
});

test('more groups than are remembered may begin within one chunk', async () => {
  const reader = await lineReader({ allow: [], deny: [] }, () => undefined);
  const begun: string[] = [];
  const taken: (readonly [string, string])[] = [];
  const groups = new GroupReader<string>(reader, ['IP.source'], {
    flow: ({ IP: ip }) => taken.push([ip?.source ?? '', ip?.source ?? '']),
    group: ({ IP: ip }) => {
      begun.push(ip?.source ?? '');
      return ip?.source ?? '';
    },
    member: (group, _source, _destination, uuid) => taken.push([group, uuid() ?? '']),
  });
  const line = (ip: string) => JSON.stringify({ flow: { uuid: ip, IP: { source: ip } } });
  const lines = Array.from({ length: 20_000 }, (_, i) => line(`10.0.${i >> 8}.${i & 255}`));
  for (let round = 0; round < 2; round++) groups.read(Buffer.from(`${lines.join('\n')}\n`));
  expect(begun.length).toBeGreaterThan(16_384);
  expect(taken).toHaveLength(40_000);
  expect(taken.filter(([group, uuid]) => group !== uuid)).toEqual([]);
});

test.each([
  { what: 'too long to be remembered', length: 70_000 },
  { what: 'of which few are remembered', length: 50_000 },
])('a group is known behind thousands of lines $what', async ({ length }) => {
  const reader = await lineReader({ allow: [], deny: [] }, () => undefined);
  let alone = 0;
  const taken = new Map<string, number>();
  const groups = new GroupReader<string>(reader, ['source.pod_name'], {
    flow: () => alone++,
    group: ({ source }) => source?.pod_name?.slice(0, 10) ?? '',
    member: (group, _source, _destination, uuid) => {
      expect(uuid()?.startsWith(group)).toBe(true);
      taken.set(group, (taken.get(group) ?? 0) + 1);
    },
  });
  const line = (pod: string, uuid: string) =>
    `{"flow":{"uuid":${JSON.stringify(uuid)},"source":{"pod_name":${JSON.stringify(pod)}}}}\n`;
  const rest = 'x'.repeat(length);
  let lines = 0;
  for (let chunk = 0; chunk < 50; chunk++) {
    let text = '';
    for (let i = 0; i < 100; i++, lines++) {
      const name = `long-${String(lines).padStart(5, '0')}`;
      text += line(name + rest, name);
      if (i % 10 === 0) text += line('short', 'short of its own');
    }
    groups.read(Buffer.from(text));
  }
  expect(taken.get('short')).toBe(500);
  expect(alone + [...taken.values()].reduce((sum, count) => sum + count, 0)).toBe(lines + 500);
});
