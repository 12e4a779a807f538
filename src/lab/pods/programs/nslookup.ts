// A small nslookup for pods on machines that have none: `nslookup [-type=T] [-timeout=S] NAME [SERVER]`.

import { addressIn, TYPES } from './dns-message.ts';
import { ask, serversOf } from './resolver.ts';

const options = new Map<string, string>();
const words: string[] = [];
for (const word of process.argv.slice(2)) {
  const [, key, value] = /^-(\w+)(?:=(.*))?$/.exec(word) ?? [];
  if (key === undefined) words.push(word);
  else options.set(key === 'querytype' || key === 'q' ? 'type' : key, value ?? '');
}
const [name = '', given] = words;
const { servers, search, ndots } = serversOf();
const server = given ?? servers[0] ?? '127.0.0.1';
const timeoutMs = 1000 * Number(options.get('timeout') ?? 5);
const type = options.get('type')?.toUpperCase();
const types = type !== undefined ? [TYPES[type] ?? 1] : [TYPES.A ?? 1, TYPES.AAAA ?? 28];
const dots = name.split('.').length - 1;
const longer = search.map((domain) => `${name}.${domain}`);
const names = name.endsWith('.')
  ? [name.slice(0, -1)]
  : dots >= ndots
    ? [name, ...longer]
    : [...longer, name];

void (async () => {
  let said = `Server:\t\t${server}\nAddress:\t${server}#53\n\n`;
  let code = 1;
  let last = 'NXDOMAIN';
  for (const one of names) {
    const answers = await Promise.all(types.map((each) => ask(server, one, each, timeoutMs)));
    if (answers.every((answer) => answer === undefined)) {
      said = `;; connection timed out; no servers could be reached\n\n`;
      last = '';
      break;
    }
    const failed = answers.find((answer) => answer && answer.code !== 0);
    if (failed) {
      last = failed.code === 3 ? 'NXDOMAIN' : failed.code === 5 ? 'REFUSED' : 'SERVFAIL';
      continue;
    }
    const found = answers
      .flatMap((answer) => answer?.answers ?? [])
      .filter((record) => record.data.length % 4 === 0);
    if (found.length === 0) said += `*** Can't find ${one}: No answer\n\n`;
    else said += `${found.map((record) => `Name:\t${one}\nAddress: ${addressIn(record.data)}\n`).join('')}\n`;
    code = found.length === 0 ? 1 : 0;
    last = '';
    break;
  }
  if (last !== '') said += `** server can't find ${names.at(-1)}: ${last}\n\n`;
  process.stdout.write(said);
  process.exitCode = code;
})();
