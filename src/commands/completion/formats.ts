import type { Option } from 'commander';
import type { Candidate } from './place.ts';

/** Formats that the verb's `-o` takes, as its help names them: `json| yaml| jsonpath='{}'| wide`. */
export function formatsOf({ description }: Option): Candidate[] {
  const text = description.replace(/^[^:|]*: /, '').replaceAll(/ \(.*?\)/g, '');
  return text
    .split(/\||,| or /)
    .map((word) => word.trim().replace(/^jsonpath=.*/, 'jsonpath='))
    .filter((word) => /^[\w-]+=?$/.test(word))
    .map((value) => ({ value, meaning: '' }));
}
