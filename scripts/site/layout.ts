import { GROUPS } from './pages.ts';

/** A page as the navigation names it; its URL begins with a slash. */
export interface NavPage {
  url: string;
  title: string;
  /** Below docs/. */
  path: string;
}

interface Layout {
  title: string;
  content: string;
  url: string;
  pages: readonly NavPage[];
}

/** A whole page. All links are relative: the site works below any address, and from a folder. */
export function layout({ title, content, url, pages }: Layout): string {
  const up = '../'.repeat(url.split('/').length - 2) || './';
  const name = title === 'cilium-toolkit' ? title : `${title} · cilium-toolkit`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)}</title>
<link rel="stylesheet" href="${up}site.css">
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header>
<a class="home" href="${up}index.html">cilium-toolkit</a>
<form role="search" data-up="${up}"><input type="search" placeholder="Search ( / )" aria-label="Search the documentation" autocomplete="off" aria-controls="found"><ol id="found" hidden></ol></form>
</header>
<div class="columns">
<details class="menu"><summary>Contents</summary><nav aria-label="Contents">${navigation(url, up, pages)}</nav></details>
<main id="content">
${content}
</main>
</div>
<script src="${up}minisearch.js" defer></script>
<script src="${up}search.js" defer></script>
</body>
</html>
`;
}

function navigation(url: string, up: string, pages: readonly NavPage[]): string {
  return GROUPS.map(({ title, pages: members }) => {
    const own = members.flatMap((member) =>
      member.endsWith('/') ? folder(pages, member, url) : pages.filter(({ path }) => path === member),
    );
    const items = own.map((page) => {
      const here = page.url === url ? ' aria-current="page"' : '';
      return `<li><a href="${up}${page.url.slice(1)}"${here}>${escaped(page.title)}</a></li>`;
    });
    return `<h2>${title}</h2><ul>${items.join('')}</ul>`;
  }).join('');
}

/** The pages of a folder; of a long one only its index, except on its own pages. */
function folder(pages: readonly NavPage[], name: string, url: string): readonly NavPage[] {
  const own = pages.filter(({ path }) => path.startsWith(name));
  const index = own.filter(({ path }) => path === `${name}README.md`);
  const others = own.filter((page) => !index.includes(page));
  const isOpen = url.startsWith(`/${name}`) || others.length < 12;
  const ordered = others.toSorted((a, b) => a.title.localeCompare(b.title, 'en'));
  return isOpen ? [...index, ...ordered] : index;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
