import { type Command, Option } from 'commander';
import { durationOption, examples, stringArray, stringSlice } from '../../cli/flags.ts';
import { htmlOption } from '../../cli/page.ts';
import type { Context } from '../../context.ts';
import { REPORT_FORMATS } from '../../model/report-format.ts';
import { type ConnectivityTestOptions, CURL_IMAGE, ECHO_IMAGE } from './options.ts';
import { runConnectivityTest } from './run-test.ts';

/** Declares `connectivity test`. */
export function addConnectivityTestCommand(command: Command, ctx: Context): void {
  command
    .optionsGroup('Which tests:')
    .option('--all', 'Every test of the catalogue that can be run here, instead of the set of 15 checks')
    .addOption(
      stringSlice(
        '--test <names>',
        'Only tests that this regular expression is found in, also as TEST/SCENARIO; with ! in front: not these',
      ),
    )
    .option(
      '--external-target <name>',
      'A name outside the cluster that answers HTTPS; without it nothing leaves the cluster',
    )
    .option('--external-other-target <name>', 'A second such name, which policies for the first do not allow')
    .option(
      '--external-cidr <range>',
      'A range of IPv4 addresses outside the cluster, with --external-ip and --external-other-ip in it',
    )
    .option('--external-ip <address>', 'An address of that range that answers HTTPS')
    .option('--external-other-ip <address>', 'A second one, which policies for the first do not allow')
    .option('--external-cidrv6 <range>', 'The same for IPv6')
    .option('--external-ipv6 <address>', 'The same for IPv6')
    .option('--external-other-ipv6 <address>', 'The same for IPv6')
    .option('--single-node', 'Leave out what needs a second node')
    .addOption(
      stringSlice(
        '--ip-families <families>',
        'Families of addresses: ipv4, ipv6 (default: those that the pods have)',
      ),
    )
    .optionsGroup('What is deployed:')
    .option('--test-namespace <name>', 'Namespace of the tests, to which -1 is added', 'cilium-test')
    .addOption(stringSlice('--namespace-labels <labels>', 'More labels of the namespace, KEY=VALUE'))
    .option(
      '--image <image>',
      'One image for all pods: with curl, nslookup and ping, and a program that serves HTTP on port 8080',
    )
    .option('--curl-image <image>', 'Image of the clients', CURL_IMAGE)
    .option('--json-mock-image <image>', 'Image of the servers', ECHO_IMAGE)
    .addOption(
      new Option('--service-type <type>', 'Type of the services')
        .choices(['NodePort', 'ClusterIP'])
        .default('NodePort'),
    )
    .option('--node-selector <selector>', 'Only on nodes with these labels')
    .addOption(stringSlice('--tolerations <keys>', 'Taints that the pods tolerate'))
    .addOption(
      durationOption('--deploy-timeout <duration>', 'How long pods may take to be ready').default(
        60_000,
        '60s',
      ),
    )
    .option('--force-deploy', 'Remove what is there of the tests first')
    .option('--keep', 'Leave everything in place when the tests have ended')
    .option('--cleanup', 'Remove everything that tests have left, and do nothing else')
    .optionsGroup('How it is tested:')
    .addOption(
      durationOption('--connect-timeout <duration>', 'How long a connection may take').default(2000, '2s'),
    )
    .addOption(
      durationOption('--request-timeout <duration>', 'How long a request may take').default(5000, '5s'),
    )
    .addOption(
      durationOption('--time-limit <duration>', 'No test begins after this (default 120s, with --all none)'),
    )
    .addOption(
      new Option(
        '--flow-validation <mode>',
        'What it means when Hubble does not show a drop that was expected: disabled, warning or strict (a failure)',
      )
        .choices(['disabled', 'warning', 'strict'])
        .default('warning'),
    )
    .optionsGroup('Formatting Flags:')
    .option('-v, --verbose', 'Show each action as it is made')
    .option('-t, --timestamp', 'Put the time in front of each line')
    .option('--junit-file <file>', 'Write the results as JUnit XML')
    .option('--junit <file>', 'The same as --junit-file')
    .addOption(stringArray('--junit-property <key=value>', 'A property in that file; may be repeated'))
    .addOption(
      new Option('-o, --output <format>', 'Form of the output')
        .choices(['text', 'json', ...REPORT_FORMATS])
        .default('text'),
    )
    .addOption(htmlOption('the results'))
    .option('--exit-zero-on-failure', 'Exit with 0 where tests have failed')
    .option('--dry-run', 'Print what would be deployed and tested, and change nothing')
    .option('-y, --yes', 'Do not ask before pods are deployed')
    .addHelpText(
      'after',
      examples(
        'cilium connectivity test',
        'cilium connectivity test --test dns,pod-service --verbose',
        "cilium connectivity test --all --test '!l7' --junit results.xml",
        'cilium connectivity test --image registry.example.com/mirror/json-mock:v1.4.1',
        'cilium connectivity test --html results.html',
        'cilium connectivity test --cleanup',
      ),
    )
    .action((options: ConnectivityTestOptions) => runConnectivityTest(options, ctx));
}
