import MiniSearch from 'minisearch';

/** A section of a page, as the search finds it. */
export interface Section {
  id: string;
  title: string;
  heading: string;
  text: string;
}

/** The sections of a page's HTML, the part before the first heading included. */
export function sectionsOf(url: string, html: string): Section[] {
  const main = /<main[^>]*>([\s\S]*)<\/main>/.exec(html)?.[1] ?? '';
  const parts = main.split(/(?=<h[1-4] id=)/).filter((part) => part.trim() !== '');
  const title = textOf(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(main)?.[1] ?? '');
  return parts.map((part) => {
    const [, id = '', heading = ''] = /^<h[1-4] id="([^"]*)">([\s\S]*?)<\/h[1-4]>/.exec(part) ?? [];
    const text = textOf(part.replace(/^<h[1-4][\s\S]*?<\/h[1-4]>/, ''));
    return { id: `${url.slice(1)}#${id}`, title, heading: textOf(heading), text };
  });
}

/** What the browser searches in, as a script: a page that is opened from a folder may load nothing else. */
export function searchScript(sections: readonly Section[]): string {
  const index = new MiniSearch<Section>({
    fields: ['title', 'heading', 'text'],
    storeFields: ['title', 'heading'],
  });
  index.addAll(sections);
  return `self.searchIndex = ${JSON.stringify(JSON.stringify(index))};\n`;
}

function textOf(html: string): string {
  return html
    .replace(/<a class="anchor"[\s\S]*?<\/a>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ')
    .trim();
}
