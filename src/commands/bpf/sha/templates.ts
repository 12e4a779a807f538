import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordedPairs } from '../../../cli/bpf/recorded.ts';
import { recordedRun } from '../../../cli/kube/replay.ts';
import type { Context } from '../../../context.ts';
import { errorMessage, UserError } from '../../../errors.ts';

/** Where the agent keeps what it compiles. `CILIUM_STATE_DIR` names another folder, as for a mounted host. */
export function stateFolder(env: Readonly<Record<string, string | undefined>>): string {
  return env.CILIUM_STATE_DIR || '/var/run/cilium/state';
}

/** Endpoints by the template that their programs were made from. Endpoint numbers stand in order of their texts. */
export function readTemplates(state: string): Map<string, string[]> {
  const templates = join(state, 'templates');
  const uses = new Map<string, string[]>();
  for (const { name } of list(templates, 'template')) uses.set(name, []);
  for (const entry of list(state, 'state')) {
    if (!entry.isDirectory() || !/^\d+$/.test(entry.name)) continue;
    const sha = templateOf(state, entry.name);
    uses.set(sha, [...(uses.get(sha) ?? []), entry.name]);
  }
  return uses;
}

function list(folder: string, what: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new UserError(`failed to list ${what} directory: ${errorMessage(error)}`, {
      hint: 'The agent of this node keeps it: run the command where the agent runs.',
      cause: error,
    });
  }
}

function templateOf(state: string, endpoint: string): string {
  let id: string;
  try {
    id = readFileSync(join(state, endpoint, 'template.txt'), 'utf8').trim();
  } catch {
    return '<missing template.txt>';
  }
  return existsSync(join(state, 'templates', id)) ? id : '<template path invalid>';
}

/** The C header of a template. */
export function readHeader(state: string, sha: string): string {
  checkSha(sha);
  try {
    return readFileSync(join(state, 'templates', sha, 'ep_config.h'), 'utf8');
  } catch (error) {
    throw new UserError(`Failed to describe SHA: ${errorMessage(error)}`, { cause: error });
  }
}

/** What the agent wrote down of a template, as JSON; undefined where older agents put it into the header. */
export function readState(state: string, sha: string): string | undefined {
  const file = join(state, 'templates', sha, 'ep_config.json');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** The header of an archive. */
export async function recordedHeader(ctx: Context, sha: string): Promise<string> {
  checkSha(sha);
  const known = await recordedPairs(ctx, 'bpf sha list', 'Datapath SHA');
  if (!known.has(sha)) throw new UserError('Failed to describe SHA: the agent had no such template');
  const { stdout, stderr, exitCode } = await recordedRun([`bpf sha get ${sha}`], ctx);
  if (exitCode !== 0) throw new UserError(stderr.trim().replace(/^Error: /, ''));
  return stdout.toString('utf8');
}

function checkSha(sha: string): void {
  if (!/^[\w.-]+$/.test(sha)) throw new UserError(`"${sha}" is not the SHA of a template`);
}
