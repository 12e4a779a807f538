/**
 * Where something is, as reports name it: a file by its path below the root of the repository, with slashes; one outside
 * of it by its absolute path; what is no file by its name.
 */
export interface Place {
  kind: 'inside' | 'outside' | 'object';
  name: string;
}

/** Turns the name of a file as it was given into a place. */
export type Locate = (file: string) => Place;
