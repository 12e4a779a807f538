// Bundles src/web: page.js and page.css, which "hubble report" puts into its file and "hubble ui" serves. No verb loads it.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** What a browser may have to fetch. */
const BUDGET_KB = 400;

/** Writes the page into a folder. Throws when it is larger than its budget. */
export async function buildWeb(folder) {
  const common = { bundle: true, minify: true, legalComments: 'none', logLevel: 'warning' };
  await build({
    ...common,
    entryPoints: [`${root}/src/web/index.tsx`],
    outfile: `${folder}/page.js`,
    format: 'iife',
    target: 'es2022',
    charset: 'ascii',
    alias: { 'node:net': `${root}/src/web/node-net.ts` },
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  await build({
    ...common,
    stdin: {
      contents: "@import 'uplot/dist/uPlot.min.css'; @import './page.css';",
      loader: 'css',
      resolveDir: `${root}/src/web`,
    },
    outfile: `${folder}/page.css`,
  });
  const bytes = ['page.js', 'page.css'].reduce(
    (sum, name) => sum + gzipSync(readFileSync(`${folder}/${name}`)).length,
    0,
  );
  if (bytes > BUDGET_KB * 1000)
    throw new Error(`the page is ${Math.round(bytes / 1000)} kB compressed, and may have ${BUDGET_KB}`);
}
