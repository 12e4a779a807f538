// The site of the docs: "npm run docs" writes it to build/site, "npm run docs -- --serve" shows it while pages change.
import { readFileSync, writeFileSync } from 'node:fs';
import { siteMarkdown } from './markdown.ts';
import { ELSEWHERE, repositoryPathOf, siteFile } from './pages.ts';
import { searchScript, sectionsOf } from './search-index.ts';

const OUTPUT = process.env.SITE ?? 'build/site';
const docsPath = (page) => `${page.filePathStem.slice(1)}.md`;

export default function configure(config) {
  config.setLibrary('md', siteMarkdown());
  for (const [path, source] of Object.entries(ELSEWHERE))
    config.addTemplate(path, readFileSync(source, 'utf8'));
  config.addGlobalData(
    'permalink',
    () =>
      ({ page }) =>
        siteFile(repositoryPathOf(docsPath(page))),
  );
  config.addGlobalData('eleventyComputed', () => ({
    title: ({ page }) => /^# (.+)$/m.exec(page.rawInput)?.[1]?.replaceAll('`', '') ?? page.fileSlug,
  }));
  config.addPassthroughCopy('docs/**/*.{svg,png}');
  config.addPassthroughCopy({
    'scripts/site/site.css': 'site.css',
    'scripts/site/search.js': 'search.js',
    'node_modules/minisearch/dist/umd/index.js': 'minisearch.js',
  });
  config.on('eleventy.after', ({ results }) => {
    const sections = results.flatMap(({ url, content }) => sectionsOf(url, content));
    writeFileSync(`${OUTPUT}/search-index.js`, searchScript(sections));
  });
  config.addGlobalData('layout', 'page.11ty.js');
  return {
    markdownTemplateEngine: false,
    dir: { input: 'docs', output: OUTPUT, includes: '../scripts/site' },
  };
}
