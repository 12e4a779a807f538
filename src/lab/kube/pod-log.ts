import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { setInterval as every } from 'node:timers';

const LOOK_MS = 200;

/** Answers with a log file as a kubelet does: since a time, the last lines, with times, and what is added to it. */
export function writeLog(file: string | undefined, query: URLSearchParams, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  const since = Date.parse(query.get('sinceTime') ?? '');
  const seconds = Number(query.get('sinceSeconds') ?? Number.NaN);
  const from = Number.isFinite(since) ? since : Number.isFinite(seconds) ? Date.now() - seconds * 1000 : 0;
  const withTimes = query.get('timestamps') === 'true';
  const lines = () => {
    if (file === undefined) return [];
    try {
      return readFileSync(file, 'utf8').split('\n').slice(0, -1);
    } catch {
      return [];
    }
  };
  const shown = (line: string) => {
    const [, time = '', text = line] = /^(\S+Z) (.*)$/.exec(line) ?? [];
    const entry = `time=${time} level=info msg=${JSON.stringify(text)}`;
    return withTimes ? `${time} ${entry}\n` : `${entry}\n`;
  };
  const all = lines();
  const tail = query.has('tailLines') ? Number(query.get('tailLines')) : all.length;
  const recent = all.filter((line) => !(Date.parse(line.split(' ')[0] ?? '') < from));
  for (const line of tail > 0 ? recent.slice(-tail) : []) response.write(shown(line));
  if (query.get('follow') !== 'true') return void response.end();
  let told = all.length;
  const timer = every(() => {
    const now = lines();
    for (const line of now.slice(told)) response.write(shown(line));
    told = now.length;
  }, LOOK_MS);
  response.on('close', () => clearInterval(timer));
}
