// A small dig for pods on machines that have none: `dig [+time=S] [+short] [@SERVER] NAME [TYPE]`.

import { addressIn, TYPES } from './dns-message.ts';
import { ask, serversOf } from './resolver.ts';

let server = serversOf().servers[0] ?? '127.0.0.1';
let timeoutMs = 5000;
let isShort = false;
const words: string[] = [];
for (const word of process.argv.slice(2)) {
  if (word.startsWith('@')) server = word.slice(1);
  else if (word === '+short') isShort = true;
  else if (word.startsWith('+time=')) timeoutMs = 1000 * Number(word.slice('+time='.length));
  else if (!word.startsWith('+') && !word.startsWith('-')) words.push(word);
}
const [name = '.', typeName = 'A'] = words;
const type = TYPES[typeName.toUpperCase()] ?? 1;
void ask(server, name.replace(/\.$/, ''), type, timeoutMs).then((answer) => {
  if (!answer) {
    process.stdout.write(
      `;; communications error to ${server}#53: timed out\n;; no servers could be reached\n`,
    );
    process.exitCode = 9;
  } else {
    const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
    const told = answer.answers.map(({ data }) =>
      data.length % 4 === 0 ? addressIn(data) : data.toString('hex'),
    );
    if (isShort) process.stdout.write(told.map((one) => `${one}\n`).join(''));
    else {
      const rows = answer.answers.map(
        (record, i) => `${record.name}.\t\t${record.ttl}\tIN\t${typeName.toUpperCase()}\t${told[i]}\n`,
      );
      process.stdout.write(
        `;; ->>HEADER<<- opcode: QUERY, status: ${CODES[answer.code] ?? answer.code}, id: ${answer.id}\n\n;; QUESTION SECTION:\n;${name}.\t\t\tIN\t${typeName.toUpperCase()}\n\n`,
      );
      if (rows.length > 0) process.stdout.write(`;; ANSWER SECTION:\n${rows.join('')}\n`);
      process.stdout.write(`;; SERVER: ${server}#53(${server}) (UDP)\n`);
    }
  }
});
