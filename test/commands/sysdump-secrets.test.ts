import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ORDINARY, PLANTED } from '../cluster/sysdump/planted.ts';
import { ATTACKS, LIKE_ATTACKS } from '../cluster/sysdump/planted-attacks.ts';
import { LIKE_THEM, SHAPES } from '../cluster/sysdump/planted-shapes.ts';
import {
  type DumpCluster,
  helmSecret,
  serveDumpCluster,
  tarball,
  unzipped,
} from '../helpers/dump-cluster.ts';
import { run } from '../helpers/run.ts';

const ALL = [...PLANTED, ...SHAPES, ...ATTACKS];
const MARK = /(?:Zq|Yk|Qj)\d+x\w+/;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sysdump-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Files of an archive of a cluster in which texts stand wherever text of others can. */
async function archiveWith(
  texts: readonly string[],
): Promise<{ files: Map<string, Buffer>; stdout: string }> {
  const all = texts.join('\n');
  const helm = helmSecret({ debug: { enabled: true }, notes: all, each: texts });
  const secrets = '/api/v1/namespaces/kube-system/secrets';
  const http = (text: string) => ({
    code: 200,
    method: 'GET',
    url: `http://10.0.0.1/x?note=1&text=${encodeURIComponent(text)}&more=1`,
    headers: [
      { key: 'X-Note', value: text },
      { key: ':path', value: `/y/${encodeURIComponent(text)}` },
    ],
  });
  const flows = texts.map((text) => `${JSON.stringify({ flow: { uuid: 'u', l7: { http: http(text) } } })}\n`);
  const envoy = {
    configs: texts.map((text) => ({ name: 'x', typed_config: { access_log: [{ text }], inline: text } })),
  };
  const cluster: DumpCluster = {
    nodes: 1,
    pods: 1,
    sockets: ['admin.sock'],
    change: (object) => {
      const { metadata, spec, status } = object as {
        metadata: { annotations: Record<string, string>; labels: Record<string, string> };
        spec: { containers: { env: object[]; args?: string[]; command?: string[] }[] };
        status: { containerStatuses: { restartCount: number }[] };
      };
      for (const [i, text] of texts.entries()) metadata.annotations[`note-${i}`] = text;
      metadata.annotations['kubectl.kubernetes.io/last-applied-configuration'] = all;
      metadata.labels.token = 'blue';
      for (const container of spec.containers) {
        container.env = texts.map((text, i) => ({ name: `NOTE_${i}`, value: text }));
        container.args = [...texts, '--password', PLANTED[0]?.secret ?? ''];
        container.command = ['/bin/sh', '-c', ...texts];
      }
      // Logs of the run before, too.
      for (const one of status.containerStatuses) one.restartCount = 1;
    },
    lists: {
      '/api/v1/events': {
        kind: 'EventList',
        items: texts.map((text, i) => ({ metadata: { name: `e${i}` }, message: text, reason: 'Note' })),
      },
      '/apis/cilium.io/v2/ciliumenvoyconfigs': {
        kind: 'CiliumEnvoyConfigList',
        items: texts.map((text, i) => ({ metadata: { name: `c${i}` }, spec: { resources: [{ text }] } })),
      },
      [secrets]: helm.list,
    },
    answers: {
      [`${secrets}/sh.helm.release.v1.cilium.v1`]: helm.secret,
      '/api/v1/namespaces/kube-system/configmaps/cilium-config': {
        metadata: { name: 'cilium-config' },
        data: { 'enable-envoy-config': 'true', notes: all, ...Object.fromEntries(texts.entries()) },
      },
      '/metrics': all,
    },
    log: () => texts.map((text) => `2026-11-29T05:00:00Z ${text}\n`).join(''),
    api: (path) => {
      if (path === '/v1/healthz') return JSON.stringify({ cilium: { msg: all }, each: texts });
      if (path.startsWith('/config_dump')) return JSON.stringify(envoy, null, 1);
      return path === '/v1/config' ? all : path === '/v1/debuginfo' ? JSON.stringify({ texts }) : undefined;
    },
    run: (argv) => {
      if (argv[0] === 'cilium-bugtool') return { stdout: 'x\nGZIP at /tmp/b.tar.gz\n' };
      if (argv[0] === 'tail')
        return {
          stdout: tarball({
            'b/cmd/env.txt': all,
            'b/cmd/md.md': `# x\n\`\`\`\n${all}\n\`\`\`\n`,
            'b/etc/x.json': JSON.stringify({ all, texts }),
          }),
        };
      if (argv[0]?.endsWith('gops')) return undefined;
      if (argv[0] === 'hubble') return { stdout: flows.join(''), stderr: all };
      if (argv[0] === '/usr/bin/ls') return { stdout: '05-cilium.conflist\n' };
      if (argv.join(' ').endsWith('bpf sha list -o json')) return { stdout: JSON.stringify({ all, texts }) };
      return { stdout: all, stderr: all };
    },
  };
  await using server = await serveDumpCluster(cluster);
  const { stdout, code } = await run(['sysdump'], {
    cwd: folder,
    env: { KUBECONFIG: server.kubeconfig, TZ: 'UTC' },
  });
  expect({ code, failed: /The following tasks failed.*/s.exec(stdout)?.[0] }).toEqual({
    code: 0,
    failed: undefined,
  });
  const name = readdirSync(folder).find((file) => file.endsWith('.zip')) ?? '';
  return { files: await unzipped(join(folder, name)), stdout };
}

/** Text without what stands between the pieces of one that is escaped or wrapped. */
const flat = (text: string) =>
  text
    .replace(/\\+u00([2-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\+[nrt]|\s|\\/g, '');
const decoded = (text: string) =>
  text.replace(/%([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

/** What base64 in a text stands for, however deep. */
function unpacked(text: string, depth = 0): string[] {
  if (depth > 3) return [];
  return [...text.matchAll(/[A-Za-z0-9+/]{12,}={0,2}/g)].flatMap(([word]) => {
    let bytes = Buffer.from(word, 'base64');
    try {
      if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
    } catch {
      return [];
    }
    const inner = bytes.toString('latin1');
    return MARK.test(inner) || /^[\x20-\x7e\s]{12,}$/.test(inner)
      ? [inner, ...unpacked(inner, depth + 1)]
      : [];
  });
}

/** A secret as base64 has it wherever in a longer text it stands. */
function packed(secret: string): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.from(`${'x'.repeat(before)}${secret}`).toString('base64');
    return text.slice(before === 0 ? 0 : 4, -4);
  });
}

// differs: sysdump-redact
test('secrets of every shape, planted everywhere, are nowhere in the archive', async () => {
  const { files, stdout } = await archiveWith(ALL.map(({ text }) => text));
  expect(stdout).not.toMatch(MARK);
  const names = [...files.keys()].join('\n');
  for (const part of [
    'bugtool',
    'helm-values',
    'k8s-events',
    'logs-cilium',
    '-prev.log',
    'cmd/bpf-ct-list',
    'rest/config',
    'rest/debuginfo',
    'rest/admin.sock/config_dump',
    'hubble-flows',
    'hubble-observe',
    'ciliumenvoyconfigs',
    'cniconf-',
    'configmap',
    'k8s-metrics',
  ])
    expect(names).toContain(part);
  const needles = ALL.map(({ what, secret }) => {
    const plain = secret.replace(/\s/g, '');
    const forms = [plain, encodeURIComponent(plain), ...packed(secret).filter((one) => one.length >= 12)];
    return { what, forms: [...new Set(forms)] };
  }).filter(({ what }) => !/^Helm release/.test(what));
  const left = new Set<string>();
  const seen = new Set<string>();
  for (const [name, bytes] of files) {
    const text = bytes.toString('latin1');
    for (const one of [text, decoded(text), ...unpacked(text)].map(flat)) {
      if (seen.has(one)) continue;
      seen.add(one);
      for (const { what, forms } of needles)
        if (forms.some((form) => one.includes(form))) left.add(`${name}: ${what}`);
      if (MARK.test(one)) left.add(`${name}: ${MARK.exec(one)}`);
    }
  }
  expect([...left]).toEqual([]);
  // What is no secret stays.
  expect(
    String([...files].find(([name]) => name.startsWith('k8s-pods') && name.endsWith('yaml'))?.[1]),
  ).toMatch(/token: blue\n.*image: quay.io\/cilium\/cilium:v1.18.2/s);
  const report = JSON.parse(String(files.get('redactions.json'))) as {
    redactions: { rule: string; count: number }[];
  };
  expect(new Set(report.redactions.map(({ rule }) => rule)).size).toBeGreaterThan(12);
});

test('where there is no secret nothing is replaced but env of others and what repeats an object', async () => {
  const { files } = await archiveWith([...ORDINARY, ...LIKE_THEM, ...LIKE_ATTACKS]);
  const report = JSON.parse(String(files.get('redactions.json'))) as {
    redactions: { rule: string; file: string }[];
  };
  const others = report.redactions.filter(({ file }) => !/^(?:k8s-pods|cilium-pods)/.test(file));
  expect(others).toEqual([]);
  expect([...new Set(report.redactions.map(({ rule }) => rule))].toSorted()).toEqual([
    'command-line',
    'env',
    'last-applied',
  ]);
});
