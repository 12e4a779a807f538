import { mergedFlows } from '../../archive/flows.ts';
import { NotCollected } from '../../archive/not-collected.ts';
import type { Context } from '../../context.ts';
import { agentIn } from '../../kube/road.ts';

/** Beginning of the names of the files that hold flows, before the pod of their agent. */
const FLOWS = 'hubble-flows-';

/**
 * A context whose stdin holds the flows of the archive that is read, by time: of all agents, or of the one that is named.
 * Undefined where no archive is.
 */
export async function withRecordedFlows(ctx: Context): Promise<Context | undefined> {
  const { archive, elsewhere } = ctx.globals;
  if (!archive) return undefined;
  const pod = elsewhere && (await agentIn(ctx, elsewhere)).pod;
  const files = archive.filesFrom(FLOWS, 'json').filter(({ rest }) => pod === undefined || rest === pod);
  if (files.length === 0) {
    const why = await archive.why({ stem: `${FLOWS}${pod ?? ''}` });
    throw new NotCollected(
      `${archive.label} holds no flows${pod === undefined ? '' : ` of the agent ${pod}`}${why ? ` (${why.text})` : ''}`,
      { hint: 'They were not collected when the archive was made.' },
    );
  }
  const names = files.map(({ file }) => file);
  return {
    ...ctx,
    in: { isTTY: false, [Symbol.asyncIterator]: () => mergedFlows(archive.files, names) },
  };
}
