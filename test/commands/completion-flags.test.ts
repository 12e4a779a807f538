import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { declareProgram } from '../../src/cli/help.ts';
import { build, type Verb } from '../../src/cli/tree.ts';
import { placeOf } from '../../src/commands/completion/complete.ts';
import { TREE } from '../../src/commands/index.ts';
import { run, testContext } from '../helpers/run.ts';

/** Flags that take what only the user knows, wherever they stand. */
const FREE_TEXT = `
--H --add --agent-pod-selector --all-namespaces --allow-config-keys --allowlist --as --as-group
--backend-weights --backends --basic-auth-password --basic-auth-username --caplen --cel-expression --cidr
--cilium-bugtool-flags --cilium-daemon-set-label-selector --cilium-envoy-label-selector
--cilium-helm-release-name --cilium-label-selector --cilium-node-init-selector
--cilium-operator-label-selector --cilium-spire-agent-selector --cilium-spire-server-selector --clusterid
--clustermesh-apiserver-label-selector --clustermesh-generate-certs-label-selector --cni-configmap-name
--concurrency --connect-timeout --container --cookie --copy-retry-limit --curl-image --delete
--deny-config-keys --denylist --deploy-timeout --destination-endpoint --dport --dst --duration --encrypted
--encryptkey --endpoint-tls-server-name --experimental-field-mask --external-cidr --external-cidrv6 --external-ip --external-ipv6
--external-other-ip --external-other-ipv6 --external-other-target --external-target --extra-label-selectors
--fail-wait-time --field-mask --filter --filters --first --from-all-namespaces --from-ip --from-port
--frontend --grep --group --group-ip --header --helm-release-name --helm-set --helm-set-file --helm-set-string
--history-max --http-header --http-path --http-url --hubble-flows-count --hubble-flows-timeout
--hubble-generate-certs-labels --hubble-label-selector --hubble-port --hubble-relay-labels --hubble-ui-labels
--image --interval --ip --ip-trace-id --ipv4 --ipv6 --json-mock-image --junit-property --k8s-api-server
--k8s-api-server-urls --key --kvstore-opt --labels --last --limit-nodes --local-port --logs-limit-bytes
--logs-since-time --match-pattern --matchpattern --max-files --max-loss --max-reconnects --max-size
--max-undecided --max-wait-time --memory --msg-size --namespace-labels --node-id --node-label --node-selector
--node-selector-client --node-selector-server --node-timeout --nodes --not-reply --num-pages --number
--operator-container-command --operator-pod-selector --output-filename --parallel --performance-image
--pod-cidr --port --port-forward --port-forward-port --rate --reply --repository --request-timeout --retry-for --revision
--ring --samples --serviceaccount --set --set-file --set-string --setup-delay --since --sleep-time --snat-ip
--source-endpoint --spi --src --streams --subsys --tail --test --test-namespace --tetragon-helm-release-name
--tetragon-label-selector --tetragon-operator-label-selector --time-diff-clocksource-hz --time-limit --timeout
--title --tls-server-name --to-all-namespaces --to-ip --to-port --tofqdns-pre-cache-ttl --tolerations
--top-rows --trace-id --tunnelendpoint --unencrypted --until --user --uuid --value --version --wait-duration
--wait-timeout --where --worker-count
`;

/** The same of one verb, where another verb has something to offer for a flag of that name. */
const FREE_TEXT_OF_VERBS = [
  'bgp config advertisements --selector',
  'bgp config clusters --selector',
  'bgp config nodes --selector',
  'bgp config peers --selector',
  'build-config --node-name',
  'build-config --source',
  'clustermesh enable --service-type',
  'egress-gateway list --selector',
  'envoy admin config --name',
  'hubble export otlp --endpoint',
  'identity list --selector',
  'l2-announcement list --selector',
  'lab start --name',
  'lb-ip-pool list --selector',
  'lrp list --selector',
  'node list --selector',
  'policy convert --name',
  'policy cost --top',
  'policy delete --selector',
  'policy get --selector',
  'policy validate --namespace',
  'rbac --name',
];

/** Every verb that runs. */
async function* commands(
  verb: Verb = TREE,
  steps: { name: string; verb: Verb }[] = [],
): AsyncGenerator<{ path: string[]; command: Command }> {
  if (verb.load)
    yield {
      path: steps.map(({ name }) => name),
      command: await build(declareProgram('', '1'), TREE, steps, testContext()),
    };
  for (const [name, below] of Object.entries(verb.verbs ?? {}))
    yield* commands(below, [...steps, { name, verb: below }]);
}

/** The command and those above it. */
function line(command: Command): Command[] {
  return command.parent ? [command, ...line(command.parent)] : [command];
}

test('every flag with a value has something to offer, or is known to take free text', async () => {
  const free = new Set(FREE_TEXT.trim().split(/\s+/));
  const ofVerbs = new Set(FREE_TEXT_OF_VERBS);
  const unknown = new Set<string>();
  const seen = new Set<string>();
  for await (const { path, command } of commands()) {
    for (const option of line(command).flatMap(({ options }) => options)) {
      if (!option.required && !option.optional) continue;
      const flag = option.long ?? option.flags;
      const called = `${path.join(' ')} ${flag}`;
      const name = ofVerbs.has(called) ? called : flag;
      const { values, files, folders } = placeOf(option, path);
      const isListed = ofVerbs.has(called) || free.has(flag);
      if (values || files || folders) {
        // A flag that is listed for all verbs has nothing to offer in any.
        if (isListed) unknown.add(`${called} is listed as free text, and has a place`);
      } else if (isListed) seen.add(name);
      else unknown.add(called);
    }
  }
  expect([...unknown]).toEqual([]);
  expect([...free, ...ofVerbs].filter((name) => !seen.has(name))).toEqual([]);
});

/** The values that are offered for a line, and the directive at its end. */
async function offered(words: string): Promise<string[]> {
  const { stdout, stderr } = await run(['__complete', '--', ...words.split(' ')]);
  expect(stderr).toBe('');
  return stdout.split('\n').flatMap((one) => (one === '' ? [] : [one.split('\t')[0] ?? '']));
}

test.each([
  ['hubble map --verdict F', ['FORWARDED', ':4']],
  ['hubble report --protocol tc', ['tcp', ':4']],
  ['hubble ui --traffic-direction ', ['ingress', 'egress', ':4']],
  ['hubble map --output ', ['tree', 'json', 'dot', 'mermaid', ':4']],
  ['hubble query --output ', ['table', 'json', 'csv', ':4']],
  ['hubble export otlp --verdict D', ['DROPPED', ':4']],
  ['hubble export otlp --compression ', ['gzip', 'none', ':4']],
  ['hubble export otlp --endpoint ', [':4']],
  ['hubble record --format ', ['json', 'proto', 'parquet', ':4']],
  ['hubble report --output ', ['html', 'svg', 'dot', 'mmd', 'json', ':8']],
  ['policy replay --html ', ['html', 'htm', ':8']],
  ['hubble report ', [':0']],
  ['hubble query --input-file ', [':0']],
  ['hubble query --memory ', [':4']],
  ['hubble ui --local-port ', [':4']],
])('%s', async (words, expected) => {
  expect(await offered(words)).toEqual(expected);
});
