import { existsSync, lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { makeFolder } from '../lib/make-folder.ts';
import type { LabInfo } from './folder.ts';

/** Where the programs of a node look for an agent. */
export const VAR_RUN = '/var/run/cilium';

/**
 * Makes a lab answer where an agent would, through links beside which nothing else may be. Returns what takes them
 * away again.
 */
export function linkSockets(info: LabInfo, folder: string): () => void {
  const links = [
    ['cilium.sock', info.sockets.agent],
    ['health.sock', info.sockets.health],
    ['hubble.sock', info.sockets.hubble],
    ['monitor1_2.sock', info.sockets.monitor],
    ['shell.sock', info.sockets.shell],
  ].map(([name = '', target = '']) => ({ path: join(folder, name), target }));
  for (const { path } of links) {
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (!facts || (facts.isSymbolicLink() && !existsSync(path))) continue;
    throw new UserError(`${path} is there already: an agent may be running`, {
      hint: 'Stop it first, or start the lab without --var-run and use `cilium lab env`.',
    });
  }
  makeFolder(folder);
  for (const { path, target } of links) {
    // Not rmSync, which leaves a link to nothing in Node 24.0.
    if (lstatSync(path, { throwIfNoEntry: false })) unlinkSync(path);
    symlinkSync(target, path);
  }
  return () => {
    for (const { path, target } of links) {
      const facts = lstatSync(path, { throwIfNoEntry: false });
      if (facts?.isSymbolicLink() && readlinkSync(path) === target) unlinkSync(path);
    }
  };
}
