import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_SOCKET } from '../../agent/client.ts';
import { NO_PROFILE, profilesPath, requiredPath } from '../../cli/config-file.ts';
import { KEYS } from '../../model/hubble-key.ts';
import type { Candidate, Source } from './place.ts';

/** Labs that run. */
export const labs: Source = async ({ ctx }) => {
  const { labRoot, runningLabs } = await import('../../lab/folder.ts');
  return runningLabs(labRoot(ctx.env, ctx.uid)).map(({ name, scenario }) => ({
    value: name,
    meaning: scenario,
  }));
};

/** Scenarios that ship with the program. */
export const scenarios: Source = async () => {
  const { shippedScenarios } = await import('../../lab/scenario/load.ts');
  return shippedScenarios().map((value) => ({ value, meaning: 'scenario' }));
};

/** Profiles of this user. */
export const profiles: Source = async ({ ctx }) => {
  const { readProfiles } = await import('../../cli/profile/file.ts');
  const { byName, current } = await readProfiles(requiredPath(profilesPath(ctx)));
  return Object.keys(byName).map((value) => ({ value, meaning: value === current ? 'current' : '' }));
};

/** The same, and the word for none of them. */
export const profilesOrNone: Source = async (ask) => [
  ...(await profiles(ask)),
  { value: NO_PROFILE, meaning: 'no profile' },
];

/** Settings of a profile, each with its `=`. */
export const profileSettings: Source = async ({ current }) => {
  const [key] = /^[a-z-]+(?==)/.exec(current) ?? [];
  const { PROFILE_KEYS } = await import('../../cli/profile/keys.ts');
  if (key !== undefined)
    return PROFILE_KEYS.some(({ name, type }) => name === key && type === 'truth')
      ? ['true', 'false'].map((value) => ({ value: `${key}=${value}`, meaning: '' }))
      : [];
  return PROFILE_KEYS.map(({ name, description }) => ({ value: `${name}=`, meaning: description }));
};

/** Sockets that agents of this machine, or labs, listen on. */
export function sockets(which: 'agent' | 'hubble'): Source {
  return async ({ ctx }) => {
    const { labRoot, runningLabs } = await import('../../lab/folder.ts');
    const found: Candidate[] = runningLabs(labRoot(ctx.env, ctx.uid)).map(({ name, sockets: all }) => ({
      value: `unix://${all[which]}`,
      meaning: `lab ${name}`,
    }));
    const usual = which === 'agent' ? DEFAULT_SOCKET : '/var/run/cilium/hubble.sock';
    return existsSync(usual) ? [{ value: `unix://${usual}`, meaning: 'this machine' }, ...found] : found;
  };
}

/** Maps that are pinned where Cilium pins them. */
export const pinnedMaps: Source = ({ ctx }) => {
  const folder = join(ctx.globals.bpfRoot, 'tc/globals');
  return readdirSync(folder).map((value) => ({ value, meaning: '' }));
};

/** Keys of Hubble's settings. */
export const hubbleKeys: Source = () =>
  KEYS.map(({ name, description }) => ({ value: name, meaning: description }));

/** What the key before it may be set to. */
export const hubbleSetting: Source = ({ given }) =>
  KEYS.find(({ name }) => name === given[0])?.type === 'bool'
    ? ['true', 'false'].map((value) => ({ value, meaning: '' }))
    : [];
