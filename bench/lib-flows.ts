import { closeSync, openSync, writeSync } from 'node:fs';
import { fixtureText } from '../test/helpers/recordings.ts';

/** The ports that Linux gives to the end which opens a connection. */
const EPHEMERAL = { first: 32_768, count: 28_232 };

/** The port of a recorded flow that the next connection has another one of: the source's, and of a reply the destination's. */
function ephemeralPort(line: string): RegExp {
  const [source = 0, destination = 0] = ['source', 'destination'].map((end) =>
    Number(new RegExp(`"${end}_port": ?(\\d+)`).exec(line)?.[1] ?? 0),
  );
  return source >= destination ? /"source_port": ?(\d+)/d : /"destination_port": ?(\d+)/d;
}

type Change = (line: string) => string;

/** Repeats the recorded flows with other identifiers, times and ports. `change` rewrites each line. */
export function writeFlows(file: string, count: number, change: Change = (line) => line): void {
  writeLines(file, count, recordedLines().map(change));
}

/** Workloads of each copy of the recorded flows. */
const WORKLOADS = 12;

/** The same of so many workloads, of copies of the recorded cluster that have names and addresses of their own. */
export function writeMesh(file: string, count: number, workloads: number): void {
  writeLines(file, count, meshLines(workloads));
}

/** A line of each kind of flow of so many workloads. */
export function meshLines(workloads: number): string[] {
  const copies = Math.ceil(workloads / WORKLOADS);
  const recorded = recordedLines();
  return Array.from({ length: copies }, (_, copy) => recorded.map(ofCopy(copy))).flat();
}

/** A flow each of so many addresses that are seen once: nothing of it is like another. */
export function writeAddresses(file: string, count: number): void {
  const [line = ''] = recordedLines().filter((each) => each.includes('"drop_reason_desc":"POLICY_DENIED"'));
  const fd = openSync(file, 'w');
  for (let i = 0; i < count; ) {
    let block = '';
    for (const end = Math.min(count, i + 5000); i < end; i++) {
      const address = `100.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
      block += `${line
        .replace(/"IP":\{"source":"[^"]*"/, `"IP":{"source":"${address}"`)
        .replace(/"source":\{[^}]*\}(?=,"destination":\{[^}]*\},"Type")/, '"source":{"identity":2}')}\n`;
    }
    writeSync(fd, block);
  }
  closeSync(fd);
}

function recordedLines(): string[] {
  return fixtureText('recordings/flows-1.20.jsonl').trimEnd().split('\n');
}

/** The first copy is the recording itself. */
function ofCopy(copy: number): Change {
  if (copy === 0) return (line) => line;
  return (line) =>
    line
      .replaceAll(/("namespace":"(?!kube-system)[^"]*)/g, `$1-${copy % WORKLOADS}`)
      .replaceAll(/("pod_name":"[^"]*)/g, `$1-${copy}`)
      .replaceAll(/"10\.11\./g, `"10.${11 + copy}.`)
      .replaceAll(/"fd00:11:/g, `"fd00:${11 + copy}:`);
}

function writeLines(file: string, count: number, lines: readonly string[]): void {
  const writers = lines.map(lineWriter);
  const fd = openSync(file, 'w');
  const start = Date.UTC(2026, 10, 22, 8);
  let second = { at: -1, text: '' };
  for (let i = 0; i < count; ) {
    let block = '';
    for (const end = Math.min(count, i + 5000); i < end; i++) {
      const ms = start + i * 3;
      const at = Math.floor(ms / 1000);
      if (second.at !== at) second = { at, text: new Date(ms).toISOString().slice(0, 19) };
      const fraction = String((i * 7_919_317) % 1e9)
        .padStart(9, '0')
        .slice(0, 8);
      block += writers[i % writers.length]?.({
        time: `${second.text}.${fraction}7Z`,
        uuid: ((i * 2_654_435_761) >>> 0).toString(16).padStart(8, '0'),
        port: String(EPHEMERAL.first + (i % EPHEMERAL.count)),
      });
    }
    writeSync(fd, block);
  }
  closeSync(fd);
}

type Holes = Record<'time' | 'uuid' | 'port', string>;

/** Writes a line again with other times, another uuid and another port. */
function lineWriter(line: string): (holes: Holes) => string {
  const holes = [
    ...[...line.matchAll(/"time": ?"([^"]*)"/dg)].map(({ indices }) => ({ name: 'time', at: indices?.[1] })),
    { name: 'uuid', at: /"uuid": ?"([^-"]*)/d.exec(line)?.indices?.[1] },
    { name: 'port', at: ephemeralPort(line).exec(line)?.indices?.[1] },
  ]
    .flatMap(({ name, at }) => (at ? [{ name: name as keyof Holes, from: at[0], to: at[1] }] : []))
    .sort((a, b) => a.from - b.from);
  const texts = [...holes, { from: line.length }].map(({ from }, i) =>
    line.slice(holes[i - 1]?.to ?? 0, from),
  );
  return (values) => `${texts.reduce((all, text, i) => all + values[holes[i - 1]?.name ?? 'time'] + text)}\n`;
}

/** The line with a field in its flow that no release has. */
export function withNewField(line: string): string {
  return line.replace('{"flow":{', '{"flow":{"newer_than_all":{"a":[1,"two"]},');
}

/** The line with a space behind every colon, as other writers of JSON have it. */
export function withSpaces(line: string): string {
  return JSON.stringify(JSON.parse(line), null, 1).replaceAll(/(?<=[,{[])\n *|\n *(?=[}\]])/g, '');
}
