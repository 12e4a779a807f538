// Parses each line of a file, or with --whole the file, with JSON.parse: what any reader in Node has to pay.
import { readFileSync } from 'node:fs';

const [file = '', whole] = process.argv.slice(2);
const bytes = readFileSync(file);
if (whole === '--whole') JSON.parse(bytes.toString());
else
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    const end = newline === -1 ? bytes.length : newline;
    JSON.parse(bytes.toString('utf8', at, end));
    at = end + 1;
  }
