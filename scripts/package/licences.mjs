// The licences of what is inside: packages of npm whose code is in the bundle, the runtime, libraries of the system.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeFor } from '../machines.mjs';
import { root } from './facts.mjs';

const LINE = '='.repeat(80);

function ofPackage(folder) {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(join(root, folder)).find((one) => /^licen[cs]e/i.test(one));
  const who = typeof author === 'string' ? author : author?.name;
  const text = file
    ? readFileSync(join(root, folder, file), 'utf8').trim()
    : `Licence: ${license}${who ? `, of ${who}` : ''}. The package has no text of it.`;
  return { title: `${name} ${version} (${license})`, text };
}

function ofLibrary({ name, package: owner, version }) {
  const path = `/usr/share/doc/${owner}/copyright`;
  const text =
    owner && existsSync(path)
      ? readFileSync(path, 'utf8').trim()
      : 'Of the GNU Compiler Collection: GPL-3.0-or-later with the GCC Runtime Library Exception 3.1.';
  const from = owner
    ? `, from Debian's package ${owner} ${version}, whose source has that name and version`
    : '';
  return { title: `${name}${from}`, text };
}

function together(all) {
  return `What cilium-toolkit has inside, and under which licences.\n\n${all
    .map(({ title, text }) => `${LINE}\n${title}\n${LINE}\n\n${text}\n`)
    .join('\n')}`;
}

/** One text for packages of npm. */
export function licencesOfPackages(packages) {
  return together(packages.map(ofPackage));
}

/** One text for all that is in the one file; `description` is what scripts/single.mjs writes. */
export function licencesOf({ packages, parts, arch }) {
  const runtime = join(runtimeFor(arch), 'LICENSE');
  const all = [
    { title: 'Node.js, with what it is made of', text: readFileSync(runtime, 'utf8').trim() },
    ...packages.map(ofPackage),
    ...parts.filter(({ name }) => name.startsWith('lib')).map(ofLibrary),
  ];
  return together(all);
}
