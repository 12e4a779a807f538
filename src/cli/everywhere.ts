import type { Elsewhere, Everywhere } from '../context.ts';

/** How a verb prints, where its place in the tree does not say so. */
export interface Printing {
  /** It prints what happens until it is stopped. */
  streams?: boolean;
  /** What it prints names the node already. */
  namesNode?: boolean;
  /** It prints one JSON value. */
  isJson?: boolean;
}

/** Thrown instead of running a verb: the agent's own command line is to run in its pod. */
export class RunInPod extends Error {
  override name = 'RunInPod';
  constructor(
    readonly elsewhere: Elsewhere,
    /** The error that is told where that does not work either. */
    readonly instead?: unknown,
  ) {
    super('to be run in the pod of the agent');
  }
}

/** Thrown instead of running a verb: it is to run for each agent of a cluster. */
export class RunEverywhere extends Error {
  override name = 'RunEverywhere';
  constructor(
    readonly everywhere: Everywhere,
    readonly printing: Printing = {},
  ) {
    super('to be run on every node');
  }
}
