import { spawnSync } from 'node:child_process';
import { completionScript } from '../../src/cli/completion/scripts.ts';
import { fixture, type RestCase } from '../helpers/recordings.ts';
import { close, listen } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { mutateJson, STEERING } from './mutate.ts';
import { serve } from './rest.ts';
import { type OpenTarget, packed } from './target.ts';

/** Where something that an agent names may stand. */
const PLACES: readonly (readonly string[])[] = [
  ['map', 'get'],
  ['map', 'events'],
  ['endpoint', 'get'],
  ['endpoint', 'config'],
  ['identity', 'get'],
  ['service', 'get'],
  ['service', 'delete'],
  ['config', 'get'],
  ['config'],
  ['bpf', 'policy', 'get'],
  ['bpf', 'ct', 'list'],
  ['policy', 'trace', '--src-identity'],
  ['monitor', '--from'],
  ['monitor', '--related-to'],
  ['hubble', 'observe', '--identity'],
];
/** Names that a shell would do something with. */
const NAMES: readonly string[] = [
  '$(touch pwned)',
  '`touch pwned`',
  '$IFS',
  'a;touch pwned',
  'a&touch pwned',
  'a|touch pwned',
  'a>pwned',
  'a<pwned',
  'a b',
  "a'b",
  'a"b',
  'a\\nb',
  'a\nb',
  'a\tb',
  '~root',
  '!!',
  '!x',
  '*',
  '?',
  '[a]',
  '{a,b}',
  '(touch pwned)',
  '#x',
  '--host=tcp://192.0.2.1:1',
  '-H',
  '=ls',
  '@args',
  '%self',
  'a;$(touch pwned)',
  `a${STEERING}`,
  'a\u2028b',
  'é',
];
/** Values that candidates are made of, and keys of options. */
const NAMED =
  /(?<="(?:path|name|id|pod-name|k8s-pod-name|value)":\s*)"(?:[^"\\]|\\.)*"|"\w+"(?=:"?(?:true|false|Enabled|Disabled)\b)/g;
/** What every shell takes as it stands, and no program as a flag: nothing else may be offered of what an agent names. */
const HARMLESS = /^[\w./:][\w./:@%+=,-]*$/;

/** Candidates of what hostile agents name, as the four scripts take them; bash is asked what it makes of them. */
export const openCompletion: OpenTarget = async (folder, onClose) => {
  const exchanges = fixture<RestCase[]>('recordings/agent-1.20.json').flatMap(
    ({ exchanges = [] }) => exchanges,
  );
  const recorded = new Map(exchanges.map(({ request, response }) => [request.path, response.body]));
  const paths = ['/v1/map', '/v1/endpoint', '/v1/identity', '/v1/service', '/v1/config'];
  let data: Readonly<Record<string, string>> = {};
  const server = serve(() => data);
  const socket = await listen(server);
  onClose.defer(() => close(server, socket));
  const bash = spawnSync('bash', ['-c', 'true']).status === 0;
  return {
    make(random) {
      const answers = paths.map((path) => {
        let body = recorded.get(path) ?? '[]';
        for (let left = random.below(6); left > 0; left--) {
          const strings = [...body.matchAll(random.chance(0.5) ? NAMED : /"(?:[^"\\]|\\.)*"/g)];
          const old = strings.length > 0 ? random.pick(strings)[0] : '""';
          body = body.replaceAll(old, JSON.stringify(random.pick(NAMES)));
        }
        if (random.chance(0.4)) body = mutateJson(body, random);
        return [path, `200 ${packed(Buffer.from(body))}`] as const;
      });
      const current = random.pick(['', '', '', 'c', 'cilium_', '1', '$', '-', '--ho', STEERING]);
      return {
        argv: ['__complete', '--', ...random.pick(PLACES), current],
        data: Object.fromEntries(answers),
      };
    },
    async run({ argv, data: given }, signal) {
      data = given;
      const result = await run(argv, { signal, cwd: folder, env: { CILIUM_SOCK: socket } });
      const printed = result.stdout.split('\n').slice(0, -1);
      const lines = printed.slice(0, -1);
      const words = lines.map((line) => line.split('\t')[0] ?? '');
      const current = argv.at(-1) ?? '';
      const bad = current.startsWith('-') ? undefined : words.find((word) => !HARMLESS.test(word));
      const faults: string[] = [];
      if (bad !== undefined) faults.push(`a candidate that a shell reads: ${JSON.stringify(bad)}`);
      if (!/^:\d+$/.test(printed.at(-1) ?? '')) faults.push('no last line for the shell');
      if (lines.some((line) => line.split('\t').length !== 2)) faults.push('a line of more than two parts');
      if (bash && words.length > 0 && faults.length === 0) {
        const taken = takenByBash(argv.slice(2), result.stdout);
        if (taken !== words.join('\n')) faults.push(`bash takes ${JSON.stringify(taken)}`);
      }
      if (faults.length === 0) return result;
      return { ...result, stderr: `a fault in the toolkit itself: ${faults.join(', ')}\n`, code: 1 };
    },
  };
};

/** The words that bash has when candidates stand on its line and are run. */
function takenByBash(words: readonly string[], candidates: string): string {
  const script = `${completionScript('bash')}
cilium() { [ "$1" = __complete ] && printf %s "$CANDIDATES"; }
COMP_LINE="cilium $LINE" COMP_POINT=\${#COMP_LINE} COMP_WORDS=(cilium)
_cilium_toolkit
eval "set -- \${COMPREPLY[*]}"
printf '%s\\n' "$@"
`;
  // A word that the line ends with is cut at = and :, which is none of what is asked here.
  const line = words.slice(0, -1).join(' ');
  const { stdout } = spawnSync('bash', ['--norc', '-c', script], {
    env: { PATH: process.env.PATH ?? '', CANDIDATES: candidates, LINE: `${line} ` },
    encoding: 'utf8',
  });
  return stdout.replace(/\n$/, '');
}
