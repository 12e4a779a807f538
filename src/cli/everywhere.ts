import type { Everywhere } from '../context.ts';

/** Thrown instead of running a verb: it is to run for each agent of a cluster. */
export class RunEverywhere extends Error {
  override name = 'RunEverywhere';
  constructor(readonly everywhere: Everywhere) {
    super('to be run on every node');
  }
}
