import { posix } from 'node:path';

/** Pages that stand outside of docs/: their path in the repository, by their path on the site. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  'README.md': 'README.md',
  'contributing.md': 'CONTRIBUTING.md',
  'changelog.md': 'CHANGELOG.md',
  'fixtures.md': 'fixtures/README.md',
};

interface Group {
  title: string;
  /** Paths below docs/; a folder stands for all of its pages. */
  pages: readonly string[];
}

/** The navigation: what is looked for first comes first. */
export const GROUPS: readonly Group[] = [
  {
    title: 'Start',
    pages: ['README.md', 'install-node.md', 'completion.md', 'config.md', 'lab.md', 'from-notes.md'],
  },
  { title: 'Tasks', pages: ['tasks/'] },
  {
    title: 'A node',
    pages: ['status.md', 'rest.md', 'bpf.md', 'monitor.md', 'doctor.md', 'cleanup.md', 'releases.md'],
  },
  {
    title: 'Hubble',
    pages: ['hubble.md', 'hubble-live.md', 'hubble-map.md', 'parquet.md', 'otlp.md', 'hubble-cluster.md'],
  },
  { title: 'Policies', pages: ['policy.md', 'policy-evaluator.md', 'ci.md'] },
  {
    title: 'A cluster',
    pages: [
      ...[
        'cluster.md',
        'cluster-nodes.md',
        'cluster-config.md',
        'connectivity.md',
        'install.md',
        'upgrade.md',
      ],
      ...['clustermesh.md', 'encryption.md', 'logs.md', 'sysdump.md', 'rbac.md'],
    ],
  },
  {
    title: 'Reference',
    pages: ['reference/', 'stability.md', 'differences.md', 'performance.md', 'security.md'],
  },
  {
    title: 'The project',
    pages: ['changelog.md', 'contributing.md', 'architecture.md', 'decisions/', 'fixtures.md'],
  },
];

/** Where a page of the repository is on the site; undefined for what is no page. */
export function siteFile(repositoryPath: string): string | undefined {
  const elsewhere = Object.entries(ELSEWHERE).find(([, path]) => path === repositoryPath);
  const path = elsewhere?.[0] ?? /^docs\/(.+)/.exec(repositoryPath)?.[1];
  if (path === undefined) return undefined;
  return path.replace(/(^|\/)README\.md$/, '$1index.md').replace(/\.md$/, '.html');
}

/** The path in the repository of a page that stands at a path below docs/. */
export function repositoryPathOf(docsPath: string): string {
  return ELSEWHERE[docsPath] ?? `docs/${docsPath}`;
}

/** A link of a page as the site has it; undefined where it leads to a file that the site does not have. */
export function siteLink(link: string, docsPath: string): string | undefined {
  if (/^(?:[a-z][a-z+.-]*:|#)/i.test(link)) return link;
  const [path = '', anchor] = link.split('#');
  const own = repositoryPathOf(docsPath);
  const target = siteFile(posix.join(posix.dirname(own), path));
  const here = siteFile(own) ?? '';
  if (target === undefined) return undefined;
  const relative = posix.relative(posix.dirname(here), target);
  return anchor === undefined ? relative : `${relative}#${anchor}`;
}
