import type { WireguardState } from '../../model/status.ts';

/** One part of the report. */
export interface DebugSection {
  /** Part of the file's name with --file-per-command. */
  name: string;
  /** Markdown whose tables still hold tabs. */
  text: string;
}

export const DEBUG_TITLE = '# Cilium debug information\n';

/** A heading and, fenced, what it is about; only the heading when there is nothing. */
export function headedBlock(heading: string, body: string): string {
  return body === '' ? `\n#### ${heading}\n\n` : `\n#### ${heading}\n\n\`\`\`\n${body}\n\`\`\`\n\n`;
}

/** A heading and a fenced table, which is there even when it has no rows. */
export function headedTable(heading: string, table: string): string {
  return `\n#### ${heading}\n\n\`\`\`\n${table}\`\`\`\n`;
}

/** The encryption section. */
export function encryptionBlock(wireguard: WireguardState | undefined): string {
  const heading = headedBlock('Cilium encryption\n', '');
  if (!wireguard) return heading;
  const interfaces = wireguard.interfaces.map((i) => {
    const lines = [`interface: ${i.name}`, `  public key: ${i.publicKey}`, `  listening port: ${i.port}`];
    for (const p of i.peers) {
      lines.push(
        '',
        `peer: ${p.publicKey}`,
        `  endpoint: ${p.endpoint}`,
        `  allowed ips: ${p.allowedIps.join(', ')}`,
        `  latest handshake: ${p.lastHandshake}`,
        `  transfer: ${p.received} B received, ${p.sent} B sent`,
      );
    }
    return `${lines.join('\n')}\n\n`;
  });
  return `${heading}##### WireGuard\n\n\`\`\`\n${interfaces.join('')}\`\`\`\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[<>&"]/g, (c) => ENTITIES[c] ?? c);
}

/** The Markdown above as HTML: headings, fenced blocks and paragraphs are all it has. */
export function debugHtml(markdown: string): string {
  const out: string[] = [];
  let fence: string[] | undefined;
  for (const line of markdown.split('\n')) {
    if (line === '```') {
      if (fence) out.push(`<pre><code>${fence.map((l) => `${escapeHtml(l)}\n`).join('')}</code></pre>`);
      fence = fence ? undefined : [];
    } else if (fence) fence.push(line);
    else if (line !== '') {
      const heading = /^(#+) (.*)$/.exec(line);
      const tag = heading ? `h${heading[1]?.length}` : 'p';
      out.push(`<${tag}>${escapeHtml(heading?.[2] ?? line)}</${tag}>`);
    }
  }
  return `${out.join('\n\n')}\n`;
}
