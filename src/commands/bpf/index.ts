import { BPF_GLOBALS, ELSEWHERE_LONG_GLOBALS } from '../../cli/global-flags.ts';
import type { Verb } from '../../cli/tree.ts';

/** `bpf`: the maps that the agent of this node pins. */
export const BPF: Verb = {
  about: 'Direct access to local BPF maps',
  globals: [BPF_GLOBALS, ELSEWHERE_LONG_GLOBALS],
  inPod: true,
  root: true,
  verbs: {
    auth: {
      about: 'Manage authenticated connections between identities',
      verbs: {
        list: {
          about: 'List all authenticated connections between identities',
          aliases: ['ls'],
          load: async () => (await import('./auth/list.ts')).addBpfAuthListCommand,
        },
        flush: {
          about: 'Deletes all entries for authenticated connections between identities',
          changes: true,
          load: async () => (await import('./auth/flush.ts')).addBpfAuthFlushCommand,
        },
      },
    },
    bandwidth: {
      about: 'BPF datapath bandwidth settings',
      verbs: {
        list: {
          about: 'List BPF datapath bandwidth settings',
          aliases: ['ls'],
          load: async () => (await import('./bandwidth/list.ts')).addBpfBandwidthListCommand,
        },
      },
    },
    config: {
      about: 'Manage runtime config',
      verbs: {
        list: {
          about: 'List runtime config entries',
          aliases: ['ls'],
          load: async () => (await import('./config/list.ts')).addBpfConfigListCommand,
        },
      },
    },
    ct: {
      about: 'Connection tracking tables',
      verbs: {
        list: {
          about: 'List connection tracking entries',
          aliases: ['ls'],
          load: async () => (await import('./ct/list.ts')).addBpfCtListCommand,
        },
        flush: {
          about: 'Flush all connection tracking entries',
          changes: true,
          load: async () => (await import('./ct/flush.ts')).addBpfCtFlushCommand,
        },
        top: {
          about: 'Show what holds the most connection tracking entries',
          here: true,
          derives: true,
          load: async () => (await import('./ct/top.ts')).addBpfCtTopCommand,
        },
        orphans: {
          about: 'List connections of endpoints that no longer exist, and delete them with --delete',
          here: true,
          derives: true,
          changes: (command) => command.getOptionValue('delete') === true,
          load: async () => (await import('./ct/orphans.ts')).addBpfCtOrphansCommand,
        },
      },
    },
    egress: {
      about: 'Manage the egress routing rules',
      verbs: {
        list: {
          about: 'List egress policy entries',
          aliases: ['ls'],
          load: async () => (await import('./egress/list.ts')).addBpfEgressListCommand,
        },
        get: {
          about: 'Retrieve the egress gateway of a source and a destination',
          aliases: ['lookup'],
          derives: true,
          load: async () => (await import('./egress/get.ts')).addBpfEgressGetCommand,
        },
        update: {
          about: 'Update egress policy entries',
          changes: true,
          aliases: ['add'],
          load: async () => (await import('./egress/update.ts')).addBpfEgressUpdateCommand,
        },
        delete: {
          about: 'Delete egress policy entries',
          changes: true,
          load: async () => (await import('./egress/delete.ts')).addBpfEgressDeleteCommand,
        },
      },
    },
    endpoint: {
      about: 'Local endpoint map',
      verbs: {
        list: {
          about: 'List local endpoint entries',
          aliases: ['ls'],
          load: async () => (await import('./endpoint/list.ts')).addBpfEndpointListCommand,
        },
        delete: {
          about: 'Delete local endpoint entries',
          changes: true,
          load: async () => (await import('./endpoint/delete.ts')).addBpfEndpointDeleteCommand,
        },
      },
    },
    frag: {
      about: 'Manage the fragment maps',
      aliases: ['fragments'],
      verbs: {
        list: {
          about: 'List IPv4 and IPv6 fragments',
          aliases: ['ls'],
          load: async () => (await import('./frag/list.ts')).addBpfFragListCommand,
        },
      },
    },
    fs: {
      about: 'BPF filesystem mount',
      verbs: {
        show: {
          about: 'Show bpf filesystem mount details',
          root: false,
          load: async () => (await import('./fs/show.ts')).addBpfFsShowCommand,
        },
      },
    },
    ipcache: {
      about: 'Manage the IPCache mappings for IP/CIDR <-> Identity',
      verbs: {
        list: {
          about: 'List endpoint IPs (local and remote) and their corresponding security identities',
          aliases: ['ls'],
          load: async () => (await import('./ipcache/list.ts')).addBpfIpcacheListCommand,
        },
        get: {
          about: 'Retrieve identity for an ip',
          derives: true,
          load: async () => (await import('./ipcache/get.ts')).addBpfIpcacheGetCommand,
        },
        match: {
          about: 'Retrieve identity for a prefix using an exact match',
          derives: true,
          load: async () => (await import('./ipcache/match.ts')).addBpfIpcacheMatchCommand,
        },
        update: {
          about: 'Update the entry of a prefix',
          changes: true,
          load: async () => (await import('./ipcache/update.ts')).addBpfIpcacheUpdateCommand,
        },
        delete: {
          about: 'Delete the entry of a prefix',
          changes: true,
          load: async () => (await import('./ipcache/delete.ts')).addBpfIpcacheDeleteCommand,
        },
      },
    },
    ipmasq: {
      about: 'Manage ip-masq-agent CIDRs',
      verbs: {
        list: {
          about: 'List ip-masq-agent CIDRs',
          aliases: ['ls'],
          load: async () => (await import('./ipmasq/list.ts')).addBpfIpmasqListCommand,
        },
      },
    },
    lb: {
      about: 'Load-balancing configuration',
      verbs: {
        list: {
          about: 'List load-balancing configuration',
          aliases: ['ls'],
          load: async () => (await import('./lb/list.ts')).addBpfLbListCommand,
        },
        maglev: {
          about: 'Maglev lookup table',
          verbs: {
            list: {
              about: 'List Maglev lookup tables',
              aliases: ['ls'],
              load: async () => (await import('./lb/maglev/list.ts')).addBpfLbMaglevListCommand,
            },
            get: {
              about: 'Get Maglev lookup table for given service by ID',
              derives: true,
              load: async () => (await import('./lb/maglev/get.ts')).addBpfLbMaglevGetCommand,
            },
          },
        },
      },
    },
    maps: {
      about: 'Pinned BPF maps of any kind',
      here: true,
      verbs: {
        list: {
          about: 'List pinned maps with their entries, capacity and memory',
          aliases: ['ls'],
          load: async () => (await import('./maps/list.ts')).addBpfMapsListCommand,
        },
        dump: {
          about: 'Print the entries of a map, one JSON object per line',
          load: async () => (await import('./maps/dump.ts')).addBpfMapsDumpCommand,
        },
      },
    },
    metrics: {
      about: 'BPF datapath traffic metrics',
      verbs: {
        list: {
          about: 'List BPF datapath traffic metrics',
          aliases: ['ls'],
          load: async () => (await import('./metrics/list.ts')).addBpfMetricsListCommand,
        },
        flush: {
          about: 'Flush all metric counters',
          changes: true,
          load: async () => (await import('./metrics/flush.ts')).addBpfMetricsFlushCommand,
        },
      },
    },
    multicast: {
      about: 'Manage multicast BPF programs',
      aliases: ['mcast'],
      verbs: {
        group: {
          about: 'Manage the multicast groups',
          verbs: {
            list: {
              about: 'List the multicast groups',
              aliases: ['ls'],
              load: async () => (await import('./multicast/group/list.ts')).addBpfMulticastGroupListCommand,
            },
            add: {
              about: 'Add a multicast group',
              changes: true,
              load: async () => (await import('./multicast/group/add.ts')).addBpfMulticastGroupAddCommand,
            },
            delete: {
              about: 'Delete a multicast group',
              changes: true,
              aliases: ['del'],
              load: async () =>
                (await import('./multicast/group/delete.ts')).addBpfMulticastGroupDeleteCommand,
            },
          },
        },
        subscriber: {
          about: 'Manage the multicast subscribers',
          aliases: ['sub'],
          verbs: {
            list: {
              about: 'List the multicast subscribers for the given group',
              aliases: ['ls'],
              load: async () =>
                (await import('./multicast/subscriber/list.ts')).addBpfMulticastSubscriberListCommand,
            },
            add: {
              about: 'Add a remote subscriber to the multicast group',
              changes: true,
              load: async () =>
                (await import('./multicast/subscriber/add.ts')).addBpfMulticastSubscriberAddCommand,
            },
            delete: {
              about: 'Delete a subscriber from the multicast group',
              changes: true,
              aliases: ['del'],
              load: async () =>
                (await import('./multicast/subscriber/delete.ts')).addBpfMulticastSubscriberDeleteCommand,
            },
          },
        },
      },
    },
    nat: {
      about: 'NAT mapping tables',
      verbs: {
        list: {
          about: 'List all NAT mapping entries',
          aliases: ['ls'],
          load: async () => (await import('./nat/list.ts')).addBpfNatListCommand,
        },
        flush: {
          about: 'Flush all NAT mapping entries',
          changes: true,
          load: async () => (await import('./nat/flush.ts')).addBpfNatFlushCommand,
        },
        top: {
          about: 'Show what uses the most NAT ports',
          here: true,
          derives: true,
          load: async () => (await import('./nat/top.ts')).addBpfNatTopCommand,
        },
        orphans: {
          about: 'List NAT entries without a connection or of endpoints that no longer exist',
          here: true,
          long: 'List NAT entries without a connection or of endpoints that no longer exist, and delete them with --delete',
          derives: true,
          changes: (command) => command.getOptionValue('delete') === true,
          load: async () => (await import('./nat/orphans.ts')).addBpfNatOrphansCommand,
        },
        retries: {
          about: 'NAT port allocation retries histogram',
          verbs: {
            list: {
              about: 'List all NAT port allocation retries',
              aliases: ['ls'],
              load: async () => (await import('./nat/retries/list.ts')).addBpfNatRetriesListCommand,
            },
            flush: {
              about: 'Reset the NAT retries histogram',
              changes: true,
              load: async () => (await import('./nat/retries/flush.ts')).addBpfNatRetriesFlushCommand,
            },
          },
        },
      },
    },
    nodeid: {
      about: 'Manage the node IDs',
      verbs: {
        list: {
          about: 'List node IDs and their IP addresses',
          aliases: ['ls'],
          load: async () => (await import('./nodeid/list.ts')).addBpfNodeidListCommand,
        },
      },
    },
    policy: {
      about: 'Manage policy related BPF maps',
      verbs: {
        get: {
          about: 'Get contents of a policy BPF map',
          derives: true,
          load: async () => (await import('./policy/get.ts')).addBpfPolicyGetCommand,
        },
        list: {
          about: 'Dump all policy maps',
          aliases: ['ls'],
          load: async () => (await import('./policy/list.ts')).addBpfPolicyListCommand,
        },
        add: {
          about: 'Add/update policy entry',
          changes: true,
          load: async () => (await import('./policy/add.ts')).addBpfPolicyAddCommand,
        },
        delete: {
          about: 'Delete a policy entry',
          changes: true,
          load: async () => (await import('./policy/delete.ts')).addBpfPolicyDeleteCommand,
        },
      },
    },
    recorder: {
      about: 'PCAP recorder',
      verbs: {
        list: {
          about: 'List PCAP recorder entries',
          aliases: ['ls'],
          load: async () => (await import('./recorder/list.ts')).addBpfRecorderListCommand,
        },
      },
    },
    sha: {
      about: 'Manage compiled BPF template objects',
      aliases: ['template'],
      verbs: {
        list: {
          about: 'List BPF template objects',
          aliases: ['ls'],
          load: async () => (await import('./sha/list.ts')).addBpfShaListCommand,
        },
        get: {
          about: 'Get datapath SHA header',
          aliases: ['describe'],
          derives: true,
          load: async () => (await import('./sha/get.ts')).addBpfShaGetCommand,
        },
      },
    },
    socknat: {
      about: 'Socket NAT operations',
      verbs: {
        list: {
          about: 'List socket-LB reverse NAT entries',
          aliases: ['ls'],
          load: async () => (await import('./socknat/list.ts')).addBpfSocknatListCommand,
        },
      },
    },
    srv6: {
      about: 'Manage the SRv6 routing rules',
      verbs: {
        policy: {
          about: 'List policy entries',
          aliases: ['pol'],
          load: async () => (await import('./srv6/policy.ts')).addBpfSrv6PolicyCommand,
        },
        sid: {
          about: 'List SID entries',
          load: async () => (await import('./srv6/sid.ts')).addBpfSrv6SidCommand,
        },
        state: {
          about: 'List state entries',
          load: async () => (await import('./srv6/state.ts')).addBpfSrv6StateCommand,
        },
        vrf: {
          about: 'List VRF mappings',
          aliases: ['ctx'],
          load: async () => (await import('./srv6/vrf.ts')).addBpfSrv6VrfCommand,
        },
      },
    },
    tunnel: {
      about: 'Tunnel endpoint map',
      verbs: {
        list: {
          about: 'List tunnel endpoint entries',
          aliases: ['ls'],
          load: async () => (await import('./tunnel/list.ts')).addBpfTunnelListCommand,
        },
      },
    },
    vtep: {
      about: 'Manage the VTEP mappings for IP/CIDR <-> VTEP MAC/IP',
      verbs: {
        list: {
          about: 'List VTEP CIDR and their corresponding VTEP MAC/IP',
          aliases: ['ls'],
          load: async () => (await import('./vtep/list.ts')).addBpfVtepListCommand,
        },
        update: {
          about: 'Update vtep entries',
          changes: true,
          aliases: ['add'],
          root: 'cilium bpf vtep update <vtep_cidr> <vtep_ip> <vtep_mac>',
          load: async () => (await import('./vtep/update.ts')).addBpfVtepUpdateCommand,
        },
        delete: {
          about: 'Delete vtep entries',
          changes: true,
          root: 'cilium bpf vtep delete <vtep_cidr>',
          load: async () => (await import('./vtep/delete.ts')).addBpfVtepDeleteCommand,
        },
      },
    },
  },
};
