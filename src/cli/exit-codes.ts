/** A part could not be read or done, and the rest was. See `cilium help exit-codes` for all of them. */
export const PARTIAL = 3;
