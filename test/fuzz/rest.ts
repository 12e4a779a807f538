import { createServer, type Server } from 'node:http';
import { fixture, type RestCase } from '../helpers/recordings.ts';
import { close, listen } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { mutateJson, mutateText } from './mutate.ts';
import type { Random } from './random.ts';
import { type Input, type OpenTarget, packed, unpacked } from './target.ts';

const FILES = ['agent-1.20', 'agent-1.20-release', 'agent-1.17-policy', 'agent-1.14', 'agent-1.10'];
const FORMS: readonly string[][] = [[], [], ['-o', 'json'], ['-o', 'yaml'], ['-o', 'jsonpath={.}']];
const TAKES_FORM =
  /^(?:status|endpoint|identity|policy|service|ip|fqdn|map|node|config|bgp|lrp|cgroups|encrypt)\b/;
/** Verbs of ours that read the same answers. */
const OWN: readonly string[][] = [
  ['status', '--problems'],
  ['status', '--problems', '-o', 'json'],
  ['status', '--verbose', '--color', 'always'],
  ['endpoint', 'list', '-o', 'wide', '--sort', 'namespace,-pod'],
  ['policy', 'maps', '--state', 'agent'],
  ['policy', 'cost', '--state', 'agent'],
  ['policy', 'simulate', '--state', 'agent', '--from', 'app=a', '--to', 'app=b', '--port', '80'],
  ['ip', 'list', '-n', '-v'],
  ['bpf', 'nat', 'orphans', '--dry-run'],
];
/** Of Envoy's admin interface: what it says is handed on. */
const ENVOY: readonly string[][] = [
  ['envoy', 'admin', 'certs'],
  ['envoy', 'admin', 'clusters', '-o', 'json'],
  ['envoy', 'admin', 'config', 'routes', '-n', 'x'],
  ['envoy', 'admin', 'metrics', '-f', 'x'],
  ['envoy', 'admin', 'logging', 'set', 'loggers', 'http=debug'],
];

/** Answers by their path; what is missing is a path that the agent does not have. */
export function serve(answers: () => Readonly<Record<string, string>>): Server {
  return createServer((request, response) => {
    const body = answers()[request.url ?? ''];
    if (body === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ code: 404, message: `path ${request.url} was not found` }));
      return;
    }
    const [, status = '200', text = ''] = /^(\d{3}) (.*)$/s.exec(body) ?? [];
    response.writeHead(Number(status), { 'content-type': 'application/json' });
    response.end(unpacked(text));
  });
}

/** REST answers of the agent and of its health daemon. */
export const openRest: OpenTarget = async (folder, onClose) => {
  const cases = FILES.flatMap((file) => fixture<RestCase[]>(`recordings/${file}.json`)).filter(
    ({ exchanges }) => exchanges?.length > 0,
  );
  const [health] = fixture<{ response: { body: string } }[]>('recordings/health-api-1.20.json');
  let data: Readonly<Record<string, string>> = {};
  const envoy = createServer((request, response) => {
    request.resume();
    const [, status = '200', text = ''] = /^(\d{3}) (.*)$/s.exec(data.envoy ?? '') ?? [];
    response.writeHead(Number(status)).end(unpacked(text));
  });
  const servers = [serve(() => data), serve(() => ({ '/v1beta/status': data.health ?? '200 {}' })), envoy];
  const sockets = await Promise.all(servers.map(listen));
  servers.forEach((server, i) => {
    onClose.defer(() => close(server, sockets[i] ?? ''));
  });

  return {
    make(random): Input {
      if (random.chance(0.03)) {
        const text = mutateText(
          '{"certificates": [{"ca_cert": [], "path": "x"}]}\n# HELP a\na{b="c"} 1\n',
          random,
        );
        const envoy = `${random.pick([200, 200, 400, 503])} ${packed(Buffer.from(text))}`;
        return { argv: [...random.pick(ENVOY)], data: { envoy } };
      }
      const recorded = random.pick(cases);
      const argv = argvOf(recorded.argv, random, folder);
      const { exchanges } = recorded;
      const changed = random.below(exchanges.length);
      const answers = exchanges.map(({ request, response }, i) => {
        const body = i === changed || random.chance(0.1) ? mutateJson(response.body, random) : response.body;
        const status = random.chance(0.03) ? random.pick([204, 304, 400, 404, 500, 503]) : response.status;
        return [request.path, `${status} ${packed(Buffer.from(body))}`] as const;
      });
      const spoilt = health && random.chance(0.5) ? mutateJson(health.response.body, random) : '{}';
      return { argv, data: { ...Object.fromEntries(answers), health: `200 ${packed(Buffer.from(spoilt))}` } };
    },
    run(input: Input, signal) {
      data = input.data;
      return run(input.argv, {
        signal,
        cwd: folder,
        nowMs: Date.UTC(2026, 10, 28),
        env: {
          CILIUM_SOCK: sockets[0] ?? '',
          CILIUM_HEALTH_SOCK: sockets[1] ?? '',
          CILIUM_ENVOY_ADMIN_SOCK: sockets[2] ?? '',
          XDG_STATE_HOME: folder,
        },
      });
    },
  };
};

function argvOf(recorded: readonly string[], random: Random, folder: string): string[] {
  if (random.chance(0.1)) return [...random.pick(OWN)];
  const [noun, verb, revision = '1'] = recorded;
  if (noun === 'debuginfo')
    return ['debuginfo', '-o', 'html,json', '--file', 'x', '--output-directory', folder];
  if (noun === 'policy' && verb === 'wait') return ['policy', 'wait', revision, '--max-wait-time', '1'];
  if (recorded.some((word) => /^(?:-o|--output|-w|--watch|-q)/.test(word))) return [...recorded];
  return TAKES_FORM.test(recorded.join(' ')) ? [...recorded, ...random.pick(FORMS)] : [...recorded];
}
