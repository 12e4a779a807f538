import MarkdownIt from 'markdown-it';
import { siteLink } from './pages.ts';
import { Slugs } from './slug.ts';

/** What Eleventy hands to the renderer of a page. */
interface Env {
  page: { filePathStem: string };
}

type Token = ReturnType<MarkdownIt['parse']>[number];

/** Markdown as the repository's pages have it: anchors as on GitHub, links to pages of the site, tables that scroll. */
export function siteMarkdown(): MarkdownIt {
  const markdown = new MarkdownIt({ html: true });
  markdown.core.ruler.push('site', ({ tokens, env }) => {
    const slugs = new Slugs();
    tokens.forEach((token, at) => {
      if (token.type === 'heading_open') token.attrSet('id', slugs.of(plainText(tokens[at + 1])));
      for (const child of token.children ?? []) adapt(child, env as Env);
    });
  });
  const { rules } = markdown.renderer;
  rules.table_open = () => '<div class="scroll"><table>\n';
  rules.table_close = () => '</table></div>\n';
  rules.heading_close = (tokens, at) => {
    const id = tokens[at - 2]?.attrGet('id') ?? '';
    return `<a class="anchor" href="#${id}" aria-label="Link to this section">#</a></${tokens[at]?.tag}>\n`;
  };
  const { fence } = rules;
  rules.fence = (tokens, at, options, env, self) => {
    const html = fence?.(tokens, at, options, env, self) ?? '';
    const scrolling = html.replace('<pre>', '<pre tabindex="0">');
    return tokens[at]?.info === 'console'
      ? scrolling.replace(/^((?:<pre[^>]*><code[^>]*>)?)(\$ .*(?:\n&gt; .*)*)/gm, '$1<b>$2</b>')
      : scrolling;
  };
  return markdown;
}

/** The text of a heading without its markup. */
export function plainText(inline: Token | undefined): string {
  return (inline?.children ?? []).map(({ content }) => content).join('');
}

function adapt(token: Token, { page }: Env): void {
  const name = token.type === 'link_open' ? 'href' : token.type === 'image' ? 'src' : undefined;
  const link = name && token.attrGet(name);
  if (!name || !link) return;
  const docsPath = `${page.filePathStem.replace(/^\//, '')}.md`;
  const target = siteLink(link, docsPath);
  if (target === undefined) throw new Error(`${docsPath}: the site has no page for the link to ${link}`);
  token.attrSet(name, target);
  if (name === 'src') token.attrSet('loading', 'lazy');
}
