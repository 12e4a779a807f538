import { type AgentClient, connectAgent, DEFAULT_SOCKET } from '../../agent/client.ts';
import { readPolicy } from '../../agent/decode/policy.ts';
import type { Cluster, Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { openRoads } from '../../kube/road.ts';
import { bounded } from '../../lib/bounded.ts';
import { ProgressLine } from '../progress.ts';
import { countRealized } from './count-realized.ts';

/** An agent of the cluster, as it was before objects were applied. */
interface Watched {
  node: string;
  agent?: AgentClient;
  /** Its revision of the policy then. */
  revision: number;
  /** Its revision in the last look. */
  seen?: number;
  /** Why it cannot be asked. */
  trouble?: string | undefined;
}

/** What was applied. */
export interface AppliedSet {
  /** How many objects became others than they were, or are new. */
  changed: number;
  /** Of the objects. */
  uids: readonly string[];
}

const AT_ONCE = 10;
const AGENT_MS = 10_000;
const [FIRST_MS, MOST_MS] = [100, 2000];

/** The agents of a cluster, watched from before objects are applied until their endpoints have realized them. */
export class RealizedWatch {
  private constructor(
    private readonly agents: readonly Watched[],
    private readonly ctx: Context,
  ) {}

  /** Looks at the revision of each agent. */
  static async open(cluster: Cluster, ctx: Context): Promise<RealizedWatch> {
    const { stops } = await openRoads(ctx, { ...cluster, concurrency: AT_ONCE });
    const timeoutMs = ctx.globals.timeoutMs ?? AGENT_MS;
    const looks = bounded(stops, AT_ONCE, async ({ node, dial, trouble }): Promise<Watched> => {
      if (!dial) return { node, revision: 0, trouble: trouble ?? 'no agent' };
      const agent = connectAgent(`unix://${DEFAULT_SOCKET}`, ctx.signal, { timeoutMs, dial });
      try {
        return { node, agent, revision: (await readPolicy(agent)).decode().revision };
      } catch (error) {
        ctx.signal.throwIfAborted();
        return { node, revision: 0, trouble: errorMessage(error) };
      }
    });
    return new RealizedWatch(await Promise.all(looks), ctx);
  }

  /**
   * Waits until every agent has the objects, its revision has gone up where one changed and stays for two looks, and all its
   * endpoints have realized that revision. An agent does not tell which version of an object it has. Throws UserError after so many milliseconds, or where an agent cannot be asked.
   */
  async until(applied: AppliedSet, limitMs: number): Promise<void> {
    const open = new Map(this.agents.map((one) => [one, one.trouble ?? 'it was not looked at']));
    const total = open.size;
    const progress = new ProgressLine(this.ctx.err);
    let waited = 0;
    for (let delay = FIRST_MS; ; delay = Math.min(2 * delay, MOST_MS)) {
      const asked = [...open.keys()].filter(({ trouble }) => trouble === undefined);
      const looks = bounded(asked, AT_ONCE, async (one) => [one, await this.#missing(one, applied)] as const);
      for (const [one, missing] of await Promise.all(looks))
        if (missing === undefined) open.delete(one);
        else open.set(one, missing);
      const isOver =
        [...open.keys()].every(({ trouble }) => trouble !== undefined) || waited + delay > limitMs;
      await (isOver ? progress.clear() : progress.show(`realized on ${total - open.size} of ${total} nodes`));
      if (isOver) break;
      await this.ctx.clock.sleep(delay, this.ctx.signal);
      waited += delay;
    }
    const told = `realized on ${total - open.size} of ${total} nodes`;
    if (open.size === 0) return this.ctx.out.write(`${told}\n`);
    throw new UserError(`${told} after ${Math.round(waited / 1000)} s`, {
      hint: [...open].map(([{ node }, why]) => `${node}: ${why}`).join('\n'),
    });
  }

  /** What an agent lacks; undefined when it has realized everything. */
  async #missing(one: Watched, { changed, uids }: AppliedSet): Promise<string | undefined> {
    const { agent, revision: before, seen } = one;
    if (!agent) return 'no agent';
    try {
      const { policy, revision } = (await readPolicy(agent)).decode();
      const lacking = uids.filter((uid) => !policy.includes(uid));
      if (lacking.length > 0) return `it has ${uids.length - lacking.length} of ${uids.length} objects`;
      if (changed > 0 && revision <= before) return `its policy is still at revision ${revision}`;
      one.seen = revision;
      // An agent takes changes in batches, and more may be on the way.
      if (revision !== seen) return `its policy is at revision ${revision} since a moment`;
      const { ready, total, late } = await countRealized(revision, agent);
      return ready === total ? undefined : `${ready} of ${total} endpoints: ${late.slice(0, 3).join(', ')}`;
    } catch (error) {
      this.ctx.signal.throwIfAborted();
      return errorMessage(error);
    }
  }
}
