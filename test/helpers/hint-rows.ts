import type { WorldName } from './hint-worlds.ts';

/** A command line in a hint, what has it printed, and what it does. */
export interface Provoked {
  /** File and command line of the hint; behind `|` a part of its text, where the file has several with that line. */
  hint: string;
  in: WorldName;
  says: string;
  /** What the command line in the hint prints. */
  shows: RegExp;
  /** Its exit code: 0 without. */
  code?: number;
  /** Words that stand for something. */
  fill?: Readonly<Record<string, string>>;
  /** What the sentence asks to add. PWD is the folder of the tests. */
  more?: string;
  /** Command lines before and behind. */
  first?: readonly string[];
  after?: readonly string[];
  /** Where the command line of the hint is run, if elsewhere. */
  runs?: WorldName;
}

type Row = [hint: string, says: string, shows: RegExp, more?: Partial<Provoked>];

const rows = (world: WorldName, list: readonly Row[]): Provoked[] =>
  list.map(([hint, says, shows, more]) => ({ hint, says, shows, in: world, ...more }));

/** A lab that a hint starts does not stay. */
const STOPPED: Partial<Provoked> = { after: ['lab stop --all'] };

/** A profile that is not the current one. */
const PROFILE: Partial<Provoked> = {
  first: ['profile set prod context=prod'],
  after: ['profile delete prod'],
};

const PASSES = '-s state.json -r pass.yaml --release 1.20 --cluster-network-policy on';

export const PROVOKED: readonly Provoked[] = [
  ...rows('lab', [
    ['agent/client.ts: cilium endpoint list', 'endpoint get 65000', /ENDPOINT/],
    ['agent/client.ts: cilium identity list', 'identity get 4000000', /reserved:world/],
    ['agent/client.ts: cilium map list | Is it in', 'map events none', /cilium_ipcache/],
    ['agent/client.ts: cilium map list | shows the names', 'map get none', /cilium_ipcache/],
    ['agent/client.ts: cilium policy get', 'policy get none=here', /Revision: \d/],
    ['agent/client.ts: cilium service list', 'service get 4000', /Frontend/],
    ['agent/client.ts: cilium recorder list', 'recorder get 400', /^ID/],
    ['bpf/maps/policy-map.ts: cilium endpoint list', 'bpf policy get nowhere', /ENDPOINT/],
    [
      'cli/endpoint-number.ts: cilium endpoint list --columns id,namespace,pod',
      'endpoint get none/none',
      /orders +api-1/,
    ],
    ['cli/hubble/config-file.ts: hubble config view', 'hubble config set none x', /server/],
    ['commands/hubble/config/get.ts: hubble config view', 'hubble config get none', /server/],
    [
      'cli/policy/flows.ts: hubble observe -o json | Flows must',
      'policy replay -c netpol.yaml --flows bad.jsonl',
      /^{"flow":/,
    ],
    [
      'commands/policy/replay.ts: hubble observe -o json --last 1000 > flows.jsonl',
      'policy replay -c netpol.yaml --flows no-flows.jsonl',
      /^{"flow":/,
    ],
    [
      'commands/policy/suggest.ts: hubble observe -o json --last 1000',
      'policy suggest --flows no-flows.jsonl',
      /^{"flow":/,
    ],
    ['commands/bpf/ct/filter.ts: cilium endpoint list', 'bpf ct list global --pod none/none', /ENDPOINT/],
    [
      'commands/bpf/policy/rule.ts: cilium identity list',
      'bpf policy delete 637 ingress nowhere',
      /reserved:world/,
    ],
    ['commands/config/config.ts: cilium config --list-options', 'config Debug', /Debug/],
    ['commands/config/get.ts: cilium config --all', 'config get none', /#### Read-only/],
    [
      'commands/features/summary.ts: cilium features status -o markdown',
      'features summary',
      /Cilium Agents/,
      { runs: 'cluster', code: 3 },
    ],
    ['commands/map/get.ts: cilium map list', 'map get', /cilium_ipcache/],
    ['commands/policy/delete.ts: cilium policy import 7', 'policy delete --all --yes', /Revision: \d/],
    [
      'commands/policy/simulate.ts: cilium policy simulate --from shop/web --to app=api --port 8080/TCP',
      'policy simulate --from app=a --to app=b',
      /shop\/web/,
      { code: 1 },
    ],
    [
      'commands/policy/test.ts: cilium policy test --init > tests.yaml',
      'policy test',
      /Run: cilium policy test/,
    ],
    [
      'policy/reports/test-file.ts: cilium policy test --init',
      'policy test none.yaml',
      /Run: cilium policy test/,
    ],
    [
      'policy/reports/starter-test-file.ts: cilium policy test FILE',
      'policy test --init',
      /^ok +app=web/,
      { first: ['policy test --init > starter.yaml'], fill: { FILE: 'starter.yaml' } },
    ],
    ['commands/policy/wait.ts: cilium policy get', 'policy wait x', /Revision: \d+\s*$/],
    ['commands/service/argument.ts: cilium service list', 'service delete x', /Frontend/],
    ['commands/sysdump/sysdump.ts: cilium debuginfo --file', 'sysdump', /written|debuginfo/i],
    ['hubble/where/evaluate.ts: hubble observe --where help', 'hubble observe --where zzzzqqqq=1', /verdict/],
    ['commands/hubble/report.ts: hubble ui', 'hubble report --follow', /The page is at http/],
    ['commands/hubble/report.ts: hubble observe', "hubble report --where 'verdict=audit'", /: /],
    [
      'policy/evaluate/decide/peers.ts: cilium identity list',
      'policy simulate --state agent --from 4000000 --to orders/web-0 --port 80',
      /reserved:world/,
    ],
    [
      'policy/evaluate/decide/peers.ts: cilium endpoint list',
      'policy simulate --state agent --from orders/none --to orders/web-0 --port 80',
      /ENDPOINT/,
    ],
    ['policy/language/decoders.ts: cilium encrypt status', 'policy validate encrypt.yaml', /Encryption: /],
    [
      'cluster/config/lint-documents.ts: cilium policy validate FILE',
      'config lint netpol.yaml',
      /valid/i,
      { fill: { FILE: 'netpol.yaml' } },
    ],
    ['commands/rbac/rbac.ts: cilium rbac policy get', 'rbac', /kind: ClusterRole/],
    [
      'commands/rbac/rbac.ts: cilium rbac --list | Those that ask the API server: cilium rbac --list.',
      'rbac',
      /policy get/,
    ],
    ['commands/rbac/rbac.ts: cilium rbac --list | Those that do', 'rbac lab start', /policy get/],
    ['commands/rbac/rbac.ts: cilium rbac status --rollout', 'rbac --nope', /kind: ClusterRole/],
    [
      'commands/hubble/query.ts: hubble record flows/ --last 10000 --format parquet',
      'hubble query SELECT',
      /flows/,
    ],
    [
      'cli/hubble/duckdb.ts: hubble query --schema',
      "hubble query 'SELECT nope FROM flows' --input-file flows/",
      /COLUMN/,
    ],
  ]),
  ...rows('an ill agent', [
    [
      'cluster/find-problems.ts: cilium config view',
      'status --problems',
      /enable-hubble/,
      { runs: 'cluster' },
    ],
    [
      'cluster/find-problems.ts: cilium statedb health | names the module',
      'status --problems',
      /policy map is full/,
    ],
    [
      'cluster/find-problems.ts: cilium statedb health | its neighbours',
      'status --problems',
      /datapath-regenerate/,
    ],
    ['cluster/find-problems.ts: cilium endpoint list', 'status --problems', /ENDPOINT/],
    [
      'cluster/find-problems.ts: cilium status --all-controllers',
      'status --problems',
      /endpoint-1756-regeneration-recovery/,
      { code: 1 },
    ],
    [
      'cluster/find-problems.ts: cilium troubleshoot clustermesh 7',
      'status --problems',
      /east/,
      { more: '--clustermesh-config PWD/mesh --timeout 1s' },
    ],
    [
      'cluster/find-problems.ts: cilium troubleshoot kvstore | Check from this node',
      'status --problems',
      /etcd configuration/,
    ],
    [
      'cluster/find-problems.ts: cilium troubleshoot kvstore | Check the key-value store',
      'status --problems',
      /etcd configuration/,
    ],
    ['cluster/find-problems.ts: cilium status -o json', 'status --problems', /"Odd"/],
    [
      'cluster/find-problems.ts: cilium debuginfo --file',
      'status --problems',
      /markdown output at cilium-debuginfo-/,
    ],
    [
      'cluster/find-problems.ts: cilium config --num-pages 7',
      'status --problems',
      /The agent now has MonitorNumPages=128/,
    ],
    ['cluster/find-problems.ts: cilium endpoint log 7', 'status --problems', /Timestamp/],
  ]),
  ...rows('an agent that is well beside a node that does not answer', [
    [
      'cluster/find-problems.ts: cilium status --verbose',
      'status --problems',
      /n2.*\n.*\n.*ICMP to stack: +timeout/,
    ],
  ]),
  ...rows('lab of 1.10', [
    ['agent/client.ts: cilium version', 'cgroups list', /1\.10\.0/],
    [
      'commands/policy/import.ts: cilium policy delete LABEL',
      'policy import netpol.yaml --replace',
      /Revision/,
      { first: ['policy import netpol.yaml'], fill: { LABEL: 'k8s:io.cilium.k8s.policy.name=a' } },
    ],
  ]),
  ...rows('lab of 1.14', [
    ['commands/policy/selectors.ts: cilium policy get', 'policy subject-selectors', /Revision/],
    ['commands/policy/selectors.ts: cilium policy selectors', 'policy subject-selectors', /SELECTOR/],
  ]),
  ...rows('lab of 1.20', [
    [
      'commands/policy/trace.ts: cilium policy simulate',
      'policy trace --src-identity 1 --dst-identity 2 --dport 80/tcp',
      /^Verdict: +denied/m,
      { more: '--from orders/web-0 --to orders/api-1 --port 80' },
    ],
    [
      'cli/policy/no-api.ts: cilium policy import --via kubernetes FILE',
      'policy import netpol.yaml --via agent',
      /created|changed|applied/,
      { runs: 'cluster', fill: { FILE: 'netpol.yaml' } },
    ],
  ]),
  ...rows('cluster', [
    ['cli/kube/policy-objects.ts: cilium policy get -A', 'policy delete --cluster', /NAMESPACE/],
    [
      'cli/policy/prune.ts: cilium policy import --via kubernetes 7',
      'policy delete a --cluster --yes',
      /CiliumNetworkPolicy default\/a applied/,
      { first: ['policy import netpol.yaml --via kubernetes'] },
    ],
    ['commands/config/change.ts: cilium config delete 7', 'config set my-key x', /Removing key my-key/],
    [
      'commands/config/change.ts: cilium config set 7',
      'config set my-key y',
      /my-key=x/,
      { first: ['config set my-key x'] },
    ],
    ['commands/config/delete.ts: cilium config view', 'config delete zzzzqqqqwwww', /debug +false/],
    [
      'commands/identity/objects.ts: cilium identity list --cluster --selector io.kubernetes.pod.namespace=shop',
      'identity list --cluster --pods',
      /No resources found/,
    ],
    [
      'commands/status/cluster.ts: cilium status --node NAME -o json',
      'status -o jsonpath={.a}',
      /"cilium"/,
      { fill: { NAME: 'node2' } },
    ],
    ['commands/sysdump/sysdump.ts: cilium sysdump --help', 'sysdump nope', /Usage/],
  ]),
  ...rows('a rotation under way', [
    [
      'commands/encrypt/create-key.ts: cilium encryption rotate-key',
      'encryption create-key',
      /yet to take up/,
      { code: 1 },
    ],
    [
      'commands/encrypt/rotate-key.ts: cilium encryption status | Wait until they have',
      'encryption rotate-key',
      /Encryption: /,
      { runs: 'cluster' },
    ],
    [
      'commands/encrypt/rotate-key.ts: cilium encryption status | The others follow',
      'encryption rotate-key --force --yes',
      /Encryption: /,
      { runs: 'cluster' },
    ],
  ]),
  ...rows('no key', [
    ['kube/ipsec-secret.ts: cilium encryption create-key', 'encryption rotate-key', /successfully created/],
  ]),
  ...rows('a release', [
    ['commands/install.ts: cilium upgrade', 'install --chart /chart', /upgrade/i, { more: '--chart /chart' }],
  ]),
  ...rows('a release that hangs', [
    ['commands/install.ts: cilium uninstall', 'install --chart /chart', /Uninstalling Cilium/],
  ]),
  ...rows('no release', [
    [
      'cli/helm/lint.ts: cilium config lint --fix',
      'install --chart /chart -f values.yaml',
      /routingMode: native/,
      { more: 'values.yaml' },
    ],
    [
      'commands/identity/objects.ts: cilium identity list --endpoints --all-nodes',
      'identity list --cluster --unused -o name',
      /node2/,
      { runs: 'cluster' },
    ],
    [
      'cli/helm/upgrade-release.ts: cilium install',
      'upgrade --chart /chart',
      /is installed/,
      { more: '--chart /chart' },
    ],
  ]),
  ...rows('nothing at all', [
    [
      'cli/hubble/recorded-server.ts: hubble observe --from ARCHIVE',
      'hubble list namespaces --from dump.zip --node worker-1',
      /\(host\) -> .* FORWARDED/,
      { fill: { ARCHIVE: 'dump.zip' }, more: '--node worker-1' },
    ],
    [
      'cli/hubble/settings.ts: hubble observe -o jsonpb --from ARCHIVE',
      'hubble record x --from dump.zip',
      /"flow"/,
      { fill: { ARCHIVE: 'dump.zip' }, more: '--node worker-1' },
    ],
    [
      'cli/kube/in-pod.ts: cilium bpf ct list --from ARCHIVE',
      'bpf maps list --from dump.zip --node worker-1',
      /TCP OUT /,
      { fill: { ARCHIVE: 'dump.zip' }, more: '--node worker-1' },
    ],
    [
      'cli/profile/file.ts: cilium profile set 7 KEY=VALUE',
      'profile show test',
      /test/,
      { fill: { 'KEY=VALUE': 'context=a' }, after: ['profile delete test'] },
    ],
    [
      'commands/profile/list.ts: cilium profile set prod context=prod',
      'profile list',
      /prod/,
      { after: ['profile delete prod'] },
    ],
    ['commands/profile/delete.ts: cilium profile list', 'profile delete other', /prod/, PROFILE],
    ['commands/profile/show.ts: cilium profile list', 'profile show', /prod/, PROFILE],
    [
      'commands/profile/show.ts: cilium profile use NAME',
      'profile show',
      /prod/,
      { ...PROFILE, fill: { NAME: 'prod' } },
    ],
    [
      'lab/folder.ts: cilium lab stop --name 7',
      'lab start --name mine',
      /Lab mine has stopped/,
      { first: ['lab start --name mine'] },
    ],
    [
      'lab/folder.ts: cilium lab stop --dir 7',
      'lab start --dir own',
      /has stopped/,
      { first: ['lab start --dir own'] },
    ],
    [
      'policy/evaluate/maps/precedence-map.ts: cilium policy simulate',
      `policy maps ${PASSES}`,
      /red\/web/,
      { more: `${PASSES} --from blue/web --to red/web --port 80` },
    ],
    ['commands/doctor/self-check.ts: cilium lab start', 'doctor --self', /Lab default plays/, STOPPED],
    [
      'commands/doctor/self-check.ts: cilium completion install',
      'doctor --self',
      /A new bash completes cilium and hubble/,
    ],
    ['commands/lab/flags.ts: cilium lab start', 'lab env --name none', /Lab default plays/, STOPPED],
    ['commands/lab/status.ts: cilium lab start', 'lab status', /Lab default plays/, STOPPED],
    ['kube/config.ts: cilium lab start --kube', 'config view', /plays/, STOPPED],
  ]),
  ...rows('no Linux', [
    ['cli/kube/agent-hint.ts: cilium lab start', 'endpoint list', /Lab default plays/, STOPPED],
  ]),
  ...rows('a shell of its own kind', [
    [
      'cli/completion/place.ts: cilium completion install 7',
      'completion install',
      /A new bash completes cilium and hubble/,
    ],
  ]),
  ...rows('no home', [
    [
      'cli/completion/place.ts: cilium completion 7',
      'completion install bash',
      /^# Completion of cilium and hubble for bash/,
    ],
  ]),
  ...rows('an agent that knows no node', [
    ['commands/encrypt/flush.ts: cilium nodeid list', 'encrypt flush --stale', /NODE ID/],
  ]),
  ...rows('a cluster before its upgrade', [
    [
      'cluster/preflight/checks.ts: cilium status --rollout',
      'preflight upgrade --to 1.20',
      /1\.18\.2/,
      { code: 1 },
    ],
    ['cluster/preflight/checks.ts: cilium status --unmanaged', 'preflight upgrade --to 1.20', /stray/],
  ]),
  ...rows('a key that others change', [
    [
      'kube/ipsec-secret.ts: cilium encryption status',
      'encryption rotate-key --yes',
      /Encryption: /,
      { runs: 'cluster' },
    ],
  ]),
  ...rows('a release with definitions', [
    ['render/cluster/uninstall.ts: cilium uninstall --crds', 'uninstall --yes', /Deleting 1 CRD/],
  ]),
  ...rows('a release that does not get ready', [
    [
      'commands/upgrade.ts: cilium status --rollout --wait',
      'upgrade --chart /chart --restart --wait --wait-duration 1s',
      /3 of 3 pods new and ready/,
      { runs: 'cluster' },
    ],
  ]),
  ...rows('a node whose maps are not as the agent says', [
    ['bpf/kernel/find.ts: cilium bpf maps list', 'bpf maps dump none', /cilium_lxc/],
    ['bpf/maps/records.ts: cilium bpf maps dump 7', 'bpf nodeid list', /"abcdef"/],
    ['cli/bpf/maps.ts: cilium bpf maps list', 'bpf policy get 65000', /cilium_lxc/],
    ['commands/bpf/ct/maps.ts: cilium bpf ct list global', 'bpf ct list 65000', /TCP/],
    [
      'commands/bpf/multicast/maps.ts: cilium bpf multicast group add 7',
      'bpf multicast subscriber list 239.1.1.1',
      /^\s*$/,
    ],
    [
      'commands/bpf/policy/delete.ts: cilium bpf policy get 7 -n',
      'bpf policy delete 1756 ingress 54321 80/tcp --yes',
      /IDENTITY/,
    ],
    ['node/doctor/checks.ts: cilium endpoint log 7 | Its traffic', 'doctor', /Timestamp/],
    ['node/doctor/checks.ts: cilium ip list', 'doctor', /IDENTITY/],
    [
      'node/doctor/checks.ts: cilium bpf policy get 7 -n',
      'doctor',
      /54321/,
      { first: ['bpf policy add 1756 ingress 54321 80/tcp --yes'] },
    ],
    ['node/doctor/checks.ts: cilium identity list', 'doctor', /reserved:world/],
    [
      'node/doctor/checks.ts: cilium bpf endpoint delete 7',
      'doctor',
      /delete the endpoint entry of 10\.99\.0\.9/,
    ],
  ]),
];

/** Those that no test can run, by the reason. */
export const NOT_RUN: Readonly<Record<string, readonly string[]>> = {
  'the line names what wrote a file, or who has a flag, and asks nobody to run it': [
    'archive/files.ts: cilium sysdump | is no archive',
    'archive/files.ts: cilium sysdump | Name the zip',
    'archive/zip.ts: cilium sysdump',
    'cli/global-flags.ts: cilium sysdump',
    'cli/policy/flows.ts: hubble observe -o json | also compressed',
    'cli/policy/flows.ts: hubble observe',
    'cli/profile/file.ts: cilium profile set',
    'commands/cleanup/diff.ts: cilium cleanup baseline',
    'commands/doctor/self-check.ts: cilium install',
    'commands/hubble/index.ts: hubble observe --input-file FILE',
    'commands/hubble/query.ts: hubble record --format parquet',
    'hubble/captures/reader.ts: hubble record --format parquet',
    'lab/hubble/flow-file.ts: hubble observe -o json',
    'node/cleanup/undo.ts: cilium cleanup | of this version',
    'node/cleanup/undo.ts: cilium cleanup | 7 is not an undo file of "cilium cleanup"$',
    'node/cleanup/undo.ts: cilium cleanup | holds a step',
    'node/cleanup/undo.ts: cilium cleanup | Name the file',
  ],
  'its occasion cannot be made here; test/node/doctor/checks.test.ts makes it of facts, and another hint has the line run':
    ['node/doctor/checks.ts: cilium endpoint log 7 | Its policy'],
  'its occasion cannot be made here; test/cluster/preflight/checks.test.ts makes it of facts': [
    'cluster/preflight/checks.ts: cilium policy simulate --state cluster --release 7',
  ],
  'the line is run by test/commands/connectivity/test.test.ts': [
    'commands/connectivity/take-away.ts: cilium connectivity test --cleanup',
  ],
  'the line is run by test/archive/from.test.ts, against an archive that holds the answer': [
    'cli/hubble/settings.ts: hubble list nodes --from ARCHIVE',
  ],
  'no verb asks that socket of an archive; another hint has the line run': [
    'archive/agent-socket.ts: hubble observe --from ARCHIVE',
  ],
  'it changes the node that the tests run on': [
    'commands/cleanup/cleanup.ts: cilium cleanup undo',
    'render/cluster/uninstall.ts: cilium cleanup --force',
    'lab/var-run.ts: cilium lab env',
  ],
  'it fetches a chart or a package from the net': [
    'commands/images.ts: cilium images --version 1.20.0',
    'cli/hubble/duckdb.ts: hubble query --install | Install it again',
    'cli/hubble/duckdb.ts: hubble query --install | the one that was tried',
    'cli/hubble/duckdb.ts: hubble query --install | (70 MB)',
  ],
};

/** Other command lines, and some of those that their errors name. */
export const MORE_LINES: [line: string, tells: string[]][] = [
  ['status --problems', ['cilium endpoint log pod-name:orders/api-1', 'cilium debuginfo --file']],
  ['endpoint config 65000', ['cilium endpoint list']],
  ['endpoint config 65000 Debug=true', ['cilium endpoint list']],
  ['endpoint labels 65000', ['cilium endpoint list']],
  ['endpoint regenerate 65000', ['cilium endpoint list']],
  ['policy delete none=here', ['cilium policy get']],
  ['endpint list', ['cilium endpoint']],
  ['endpoint lst', ['cilium endpoint list']],
  ['endpoint list --colums id', ['cilium endpoint list --help']],
  ['hubble obsrve', ['hubble observe']],
  ['hubble observe --verdct DROPPED', ['hubble observe --help']],
  ['lab status', []],
];
