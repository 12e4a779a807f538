import { lookAtRollouts, notesOf, type RolloutView, waitForEnd } from '../../cli/kube/rollouts.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import { goJson } from '../../render/text/json.ts';
import type { StatusOptions } from './options.ts';

/** Exit code where all that is known is done, and not all is known. */
const NOT_ALL = 3;

/** Prints which template and image each pod of Cilium is of, and what a roll-out waits for. */
export async function runRollout(options: StatusOptions, ctx: Context): Promise<void> {
  const { output, watch, interval, wait, waitDuration } = options;
  if (watch && output === 'json')
    throw new UserError('--watch shows a text: it cannot be combined with -o json');
  if (!['', 'summary', 'json'].includes(output))
    throw new UserError(`-o ${output} is not a form of --rollout: there are summary and json`);
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const look = () => lookAtRollouts(client, namespace, ctx);
  if (watch) {
    const { watchText } = await import('../../cli/watch.ts');
    // On a cleared screen a note must stand below what it is about.
    const text = async () => {
      const view = await look();
      return `${view.text}${notesOf(view)}`;
    };
    return await watchText(ctx, interval, text, 'The API server');
  }
  const view = wait ? await waitForEnd(look, waitDuration, ctx) : await look();
  await ctx.out.write(output === 'json' ? `${goJson(view.document, 1)}\n` : view.text);
  await ctx.err.write(notesOf(view));
  ctx.exitCode = EXIT_CODES[view.state];
  if (wait && view.state === 'open')
    throw new UserError(`the roll-out is not done after ${waitDuration / 1000} s`, {
      hint: 'Give it more time with --wait-duration.',
    });
}

const EXIT_CODES: Readonly<Record<RolloutView['state'], number>> = {
  done: 0,
  open: 1,
  hidden: 1,
  unsure: NOT_ALL,
};
