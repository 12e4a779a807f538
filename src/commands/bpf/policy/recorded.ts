import { basename } from 'node:path';
import { policyMapNames } from '../../../bpf/maps/policy-map.ts';
import { printStructs } from '../../../cli/bpf/maps.ts';
import { unreadable } from '../../../cli/bpf/recorded.ts';
import { RunInPod } from '../../../cli/everywhere.ts';
import { recordedRun, soleNode } from '../../../cli/kube/replay.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { parseJson } from '../../../lib/exact-json.ts';
import { isRecord } from '../../../lib/record.ts';
import { policyEntryYaml } from '../../../render/bpf/policy.ts';
import { missingEndpoint, type PolicyGetOptions } from './dump.ts';

const ALL = ['bpf policy get --all', 'bpf policy list'];

/** Prints one policy map out of the dump of all of them that an archive has. */
export async function printRecordedPolicy(
  endpoint: string | undefined,
  options: PolicyGetOptions,
  ctx: Context,
): Promise<void> {
  const { elsewhere } = ctx.globals;
  // What was printed of all maps is printed again.
  if (options.all) throw new RunInPod(elsewhere ?? { target: { node: await soleNode(ctx) } });
  if (endpoint === undefined) throw missingEndpoint();
  const names = endpoint.includes('/') ? undefined : policyMapNames(endpoint);
  const isMeant = (path: string) => (names ? names.includes(basename(path)) : path === endpoint);
  const flags = options.output !== '' ? ' -o json' : options.numeric ? ' -n' : '';
  const words = ALL.map((line) => line + flags);
  const { exitCode, stdout, stderr } = await recordedRun(words, ctx);
  if (exitCode !== 0) throw new UserError(stderr.trim().replace(/^Error: /, ''));
  const place = `${ctx.globals.archive?.label}: what "${words[0]}" printed`;
  const text = stdout.toString('utf8');
  if (options.output === '') {
    const found = sectionsOf(text, place).find(({ path }) => isMeant(path));
    return await ctx.out.write((found ?? missing()).body);
  }
  const content = contentOf(text, place, isMeant) ?? missing();
  const rows = options.output === 'yaml' ? content.filter(isRecord).map(policyEntryYaml) : content;
  await printStructs(ctx, rows, options);
}

function missing(): never {
  throw new UserError('Failed to open map: no such file or directory');
}

/** What stands before the dump of a map: up to 1.13 its path alone. */
const HEAD = /^(?:Endpoint ID: \S+\nPath: (\S+)|(\/\S+):)\n\n/gm;
/** What stands behind it. */
const END = '\n\n';

function sectionsOf(text: string, place: string): { path: string; body: string }[] {
  if (/^no maps found\n/.test(text)) return [];
  const heads = [...text.matchAll(HEAD)];
  if (heads[0]?.index !== 0) throw unreadable(place, 'the path of a map in its first line');
  return heads.map((head, i) => {
    const section = text.slice(head.index + head[0].length, heads[i + 1]?.index);
    const path = head[1] ?? head[2] ?? '';
    if (!section.endsWith(END)) throw unreadable(`${place} of ${path}`, 'an empty line at its end');
    return { path, body: section.slice(0, -END.length) };
  });
}

/** The entries of the map in JSON, of one value or of one for each map. */
function contentOf(text: string, place: string, isMeant: (path: string) => boolean): unknown[] | undefined {
  const parsed = (json: string): unknown => {
    try {
      return parseJson(json);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw unreadable(place, 'JSON');
    }
  };
  if (!text.startsWith('[')) {
    const found = sectionsOf(text, place).find(({ path }) => isMeant(path));
    const content = found && parsed(found.body);
    if (content !== undefined && !Array.isArray(content)) throw unreadable(place, 'a list of entries');
    return content;
  }
  const maps = parsed(text);
  if (!Array.isArray(maps)) throw unreadable(place, 'a list of maps');
  const found = maps.filter(isRecord).find(({ Path }) => isMeant(String(Path)));
  if (!found) return undefined;
  return Array.isArray(found.Content) ? found.Content : [];
}
