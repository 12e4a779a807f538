/** What a page is made of: the script and the style of the bundle, and their SHA-256 in base64. */
export interface PageParts {
  script: string;
  style: string;
  hashes: { script: string; style: string };
}

const HEAD = `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">`;

/** A page whose script and style are fetched. Title and body are HTML. */
export function servedPage(title: string, body: string): string {
  return pageOf(title, '<link rel="stylesheet" href="page.css">', body);
}

/**
 * A page in one file that needs nothing else. Its own style, and its own script where it has one, are all that the browser may
 * apply and run. Title and body are HTML.
 */
export function wholePage(
  title: string,
  body: string,
  { style, hashes }: PageParts,
  script?: string,
): string {
  const policy = [
    "default-src 'none'",
    ...(script === undefined ? [] : [`script-src 'sha256-${hashes.script}'`]),
    `style-src 'sha256-${hashes.style}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const rules = `<meta http-equiv="Content-Security-Policy" content="${policy}">\n<style>${style}</style>`;
  return pageOf(title, rules, script === undefined ? body : `${body}\n<script>${script}</script>`);
}

function pageOf(title: string, rules: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
${HEAD}
<title>${title}</title>
${rules}
</head>
<body>
${body}
</body>
</html>
`;
}
