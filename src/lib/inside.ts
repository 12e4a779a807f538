/** What is inside of the program when it is one file: names are those of the package. */
export interface Inside {
  /** The file itself; no path below it is one of the file system. */
  file: string;
  names(): readonly string[];
  read(name: string): Buffer | undefined;
  /** Loads the kernel helper. */
  helper(): unknown;
}

/** First words to the one file: it is `cilium` by whatever name it was started, or one of the programs of the lab's pods. */
export const AS_CILIUM = '//cilium';
export const AS_PROGRAM = '//pods/';

const KEY = Symbol.for('cilium-toolkit.inside');

/** Undefined where the program is more than one file. */
export function inside(): Inside | undefined {
  return (globalThis as { [KEY]?: Inside })[KEY];
}

/** Called once, by the one file itself. */
export function setInside(value: Inside): void {
  (globalThis as { [KEY]?: Inside })[KEY] = value;
}
