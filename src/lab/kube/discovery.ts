import { KINDS, type Kind, shortNames } from './kinds.ts';

/** Kinds that `kubectl get all` shows. */
const ALL: ReadonlySet<string> = new Set([
  'Pod',
  'Service',
  'Deployment',
  'DaemonSet',
  'ReplicaSet',
  'StatefulSet',
]);
const SCALED: ReadonlySet<string> = new Set(['Deployment', 'ReplicaSet', 'StatefulSet']);

/** What clients ask to learn of the API itself. */
export function discovery(path: string, version: string): unknown {
  const groups = [...new Set(KINDS.map(({ apiVersion }) => apiVersion))];
  const [, major = '1', minor = '0'] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (path === '/version') return { major, minor, gitVersion: `v${version}` };
  if (path === '/readyz' || path === '/healthz' || path === '/livez') return 'ok';
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const names = [
      ...new Set(groups.filter((one) => one.includes('/')).map((one) => one.split('/')[0] ?? '')),
    ];
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: names.map((name) => {
        const versions = groups
          .filter((one) => one.startsWith(`${name}/`))
          .map((groupVersion) => ({ groupVersion, version: groupVersion.split('/')[1] }));
        return { name, versions, preferredVersion: versions[0] };
      }),
    };
  }
  const rootOf = (one: string) => (one.includes('/') ? `/apis/${one}` : `/api/${one}`);
  if (path === '/openapi/v3')
    return {
      paths: Object.fromEntries(
        groups.map((one) => [rootOf(one).slice(1), { serverRelativeURL: `/openapi/v3${rootOf(one)}` }]),
      ),
    };
  const described = groups.find((one) => path === `/openapi/v3${rootOf(one)}`);
  if (described !== undefined) return description(described, rootOf(described), version);
  const groupVersion = groups.find((one) => path === rootOf(one));
  if (groupVersion === undefined) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: kindsOf(groupVersion).flatMap((one) => [
      {
        name: one.plural,
        singularName: one.kind.toLowerCase(),
        shortNames: shortNames(one),
        namespaced: one.namespaced,
        kind: one.kind,
        verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
        ...(ALL.has(one.kind) && { categories: ['all'] }),
      },
      ...(SCALED.has(one.kind)
        ? [
            {
              name: `${one.plural}/scale`,
              singularName: '',
              namespaced: true,
              group: 'autoscaling',
              version: 'v1',
              kind: 'Scale',
              verbs: ['get', 'patch', 'update'],
            },
          ]
        : []),
    ]),
  };
}

function kindsOf(groupVersion: string): Kind[] {
  return KINDS.filter(({ apiVersion }) => apiVersion === groupVersion);
}

/**
 * The paths of a group with the one parameter that clients look for there: that the server itself says which fields it
 * does not know. It has no schemas of its own.
 */
function description(groupVersion: string, root: string, version: string): object {
  const [group, of] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion];
  return {
    openapi: '3.0.0',
    info: { title: 'cilium lab', version: `v${version}` },
    paths: Object.fromEntries(
      kindsOf(groupVersion).map(({ plural, kind, namespaced }) => [
        `${root}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`,
        {
          patch: {
            parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
            responses: {},
            'x-kubernetes-group-version-kind': { group, version: of, kind },
          },
        },
      ]),
    ),
    components: { schemas: {} },
  };
}
