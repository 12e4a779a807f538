import { closeSync, openSync, writeSync } from 'node:fs';
import { fixtureText } from '../test/helpers/recordings.ts';

/** Repeats the recorded flows with other identifiers, times and ports. `change` rewrites each line. */
export function writeFlows(file: string, count: number, change = (line: string) => line): void {
  const recorded = fixtureText('recordings/flows-1.20.jsonl').trimEnd().split('\n').map(change);
  const fd = openSync(file, 'w');
  const start = Date.UTC(2026, 10, 22, 8);
  for (let i = 0; i < count; ) {
    let block = '';
    for (const end = Math.min(count, i + 5000); i < end; i++) {
      const second = new Date(start + i * 3).toISOString().slice(0, 19);
      const fraction = String((i * 7_919_317) % 1e9)
        .padStart(9, '0')
        .slice(0, 8);
      const uuid = ((i * 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
      block += `${(recorded[i % recorded.length] ?? '')
        .replaceAll(
          /"time": ?"[^"]*"/g,
          (text) => `${text.slice(0, text.indexOf('2'))}${second}.${fraction}7Z"`,
        )
        .replace(/("uuid": ?")[^-"]*/, `$1${uuid}`)
        .replace(/("source_port": ?)\d+/, `$1${1024 + (i % 60_000)}`)}\n`;
    }
    writeSync(fd, block);
  }
  closeSync(fd);
}

/** The line with a field in its flow that no release has. */
export function withNewField(line: string): string {
  return line.replace('{"flow":{', '{"flow":{"newer_than_all":{"a":[1,"two"]},');
}

/** The line with a space behind every colon, as other writers of JSON have it. */
export function withSpaces(line: string): string {
  return JSON.stringify(JSON.parse(line), null, 1).replaceAll(/(?<=[,{[])\n *|\n *(?=[}\]])/g, '');
}
