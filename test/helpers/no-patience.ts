// The program gives a command three seconds to end by itself after a signal. Without that end, what ends did so by itself, or at
// another signal: no clock is needed to tell.
const SCRIPT = `const set = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (run, ms, ...rest) => set(run, /^SIG/.test(rest[0]) ? 1e9 : ms, ...rest),
  set,
);`;

/** Words for Node.js: a command that hears a signal has all the time of the world to end. */
export const NO_PATIENCE = `--import=data:text/javascript;base64,${Buffer.from(SCRIPT).toString('base64')}`;
