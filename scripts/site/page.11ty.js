import { layout } from './layout.ts';

/** The layout of all pages, as Eleventy asks for it. */
export function render({ title, content, page, collections }) {
  const pages = collections.all.map((each) => ({
    url: each.url,
    title: each.data.title,
    path: `${each.filePathStem.slice(1)}.md`,
  }));
  return layout({ title, content, url: page.url, pages });
}
