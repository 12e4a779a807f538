// Makes what people install, in build/packages: the one file, .deb, .rpm, an archive with a krew manifest and a Homebrew
// formula, an npm package, the folder of a container, a bill of materials for each, and their checksums. What cannot be
// made on this machine is left out, and said. The same source gives the same bytes.
//
//   npm run package -- [--arch x64,arm64] [--url WHERE-THEY-WILL-BE] [--maintainer 'NAME <MAIL>'] [--out FOLDER]
//                      [--strict: fail where something is left out]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MACHINES, missingFor } from './machines.mjs';
import { writeArchive } from './package/archive.mjs';
import { writeContainer } from './package/container.mjs';
import { date, root, version } from './package/facts.mjs';
import { writeFormula } from './package/homebrew.mjs';
import { writeKrew } from './package/krew.mjs';
import { licencesOf } from './package/licences.mjs';
import { findNfpm, writeSystemPackage } from './package/nfpm.mjs';
import { writeNpm } from './package/npm.mjs';
import { writeBill } from './package/sbom.mjs';
import { writeTexts } from './package/texts.mjs';

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    url: { type: 'string', default: 'https://example.com/cilium-toolkit' },
    maintainer: { type: 'string', default: 'cilium-toolkit <nobody@example.com>' },
    out: { type: 'string', default: join(root, 'build/packages') },
    strict: { type: 'boolean', default: false },
  },
});
const out = resolve(values.out);
const wanted = values.arch.split(',');
for (const arch of wanted)
  if (!(arch in MACHINES)) {
    console.error(
      `Error: --arch ${values.arch}: there is no machine "${arch}"; expected ${Object.keys(MACHINES).join(' or ')}`,
    );
    process.exit(1);
  }

/** What is not made, and why. */
const leftOut = [];
/** Files of the folder that are for others; their sums are written. */
const made = [];
const done = (...files) => {
  for (const file of files) {
    made.push(file);
    console.error(`  ${relative(root, file)}`);
  }
};
const work = mkdtempSync(join(tmpdir(), 'cilium-package-'));

try {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const texts = writeTexts(join(work, 'texts'));
  const nfpm = findNfpm();
  const archives = [];
  const helpers = [];
  for (const arch of wanted) {
    const missing = missingFor(arch);
    if (missing !== undefined) {
      leftOut.push(`everything for ${arch}: ${missing}`);
      continue;
    }
    const file = join(out, `cilium-toolkit-${version}-linux-${arch}`);
    const described = join(work, `${arch}.json`);
    const helper = join(work, `${arch}.node`);
    execFileSync(
      process.execPath,
      [join(root, 'scripts/single.mjs'), file, '--arch', arch, '--describe', described, '--helper', helper],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const description = JSON.parse(readFileSync(described, 'utf8'));
    const licences = licencesOf(description);
    const one = { arch, file, description, texts, licences, work, out, maintainer: values.maintainer };
    helpers.push({ arch, path: helper, description });
    done(file, writeBill({ file, description }));
    if (nfpm.path === undefined) leftOut.push(`.deb and .rpm for ${arch}: ${nfpm.why}`);
    else
      for (const format of ['deb', 'rpm']) {
        const path = writeSystemPackage({ ...one, format, nfpm: nfpm.path });
        done(path, writeBill({ file: path, description, inside: file }));
      }
    const archive = writeArchive(one);
    done(archive, writeBill({ file: archive, description, inside: file }));
    archives.push({ arch, path: archive });
    const container = writeContainer(one);
    if (container.why) leftOut.push(`the container's folder for ${arch}: ${container.why}`);
    else {
      console.error(`  ${relative(root, container.path)}/`);
      done(writeBill({ file: container.path, description, inside: file, also: container.parts }));
    }
  }
  if (archives.length > 0) done(...writeKrew({ archives, url: values.url, out }));
  const npm = writeNpm({ texts, helpers, work, out });
  done(npm.path, writeBill({ file: npm.path, description: npm.description }));
  done(writeFormula({ archives, npm: npm.path, url: values.url, out }));

  const sums = made.map((file) => {
    const sum = createHash('sha256').update(readFileSync(file)).digest('hex');
    return `${sum}  ${relative(out, file)}`;
  });
  writeFileSync(join(out, 'SHA256SUMS'), `${sums.sort().join('\n')}\n`);
  console.error(`  ${relative(root, join(out, 'SHA256SUMS'))}`);
  console.error(`made from ${basename(root)} of ${date.toISOString()}`);
  if (values.url.startsWith('https://example.com/'))
    console.error(
      'The krew manifest and the formula name example.com: give --url with the folder from which they will be fetched.',
    );
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const what of leftOut) console.error(`left out: ${what}`);
if (leftOut.length > 0 && values.strict) process.exit(1);
if (!existsSync(join(out, 'SHA256SUMS'))) process.exit(1);
