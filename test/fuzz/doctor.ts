import { ENDPOINTS } from '../../src/bpf/layouts/endpoints.ts';
import { IPCACHE } from '../../src/bpf/layouts/ipcache.ts';
import { POLICY } from '../../src/bpf/layouts/policy.ts';
import { missingKernel, mountBpffs } from '../helpers/bpf.ts';
import { fixture, type RestCase } from '../helpers/recordings.ts';
import { close, listen } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { pinMaps, someMaps } from './bpf.ts';
import { mutateJson } from './mutate.ts';
import { serve } from './rest.ts';
import { type OpenTarget, packed } from './target.ts';

/** What the doctor looks into. */
const COMPARED = [ENDPOINTS, IPCACHE, POLICY].flatMap(({ variants }) =>
  variants.filter(({ pins }) => pins.length > 0),
);
const PATHS = ['/v1/endpoint', '/v1/identity', '/v1/healthz', '/v1/config'];

/** What the agent says beside what maps hold, as `doctor` compares them. */
export const openDoctor: OpenTarget = async (folder, onClose) => {
  const missing = missingKernel();
  if (missing !== undefined) return missing;
  const bpffs = onClose.use(mountBpffs());
  const exchanges = ['agent-1.20', 'agent-1.14', 'agent-1.10'].map((file) =>
    fixture<RestCase[]>(`recordings/${file}.json`).flatMap(({ exchanges = [] }) => exchanges),
  );
  let data: Readonly<Record<string, string>> = {};
  const server = serve(() => data);
  const socket = await listen(server);
  onClose.defer(() => close(server, socket));
  return {
    make(random) {
      const recorded = random.pick(exchanges);
      const answers = PATHS.flatMap((path) => {
        const found = recorded.find(({ request }) => request.path === path);
        if (!found || random.chance(0.03)) return [];
        const { body } = found.response;
        const text = random.chance(0.4) ? mutateJson(body, random) : body;
        return [[path, `200 ${packed(Buffer.from(text))}`]];
      });
      const words = random.pick([[], [], ['-o', 'json'], ['--fail-on', 'warning'], ['--color', 'always']]);
      return {
        argv: ['doctor', ...words],
        data: { ...someMaps(random, COMPARED), ...Object.fromEntries(answers) },
      };
    },
    async run({ argv, data: given }, signal) {
      data = given;
      const maps = Object.entries(given).filter(([name]) => !name.startsWith('/'));
      using _ = pinMaps(Object.fromEntries(maps), bpffs.globals);
      return await run([...argv, '--bpf-root', bpffs.root], {
        signal,
        cwd: folder,
        env: { CILIUM_SOCK: socket },
      });
    },
  };
};
