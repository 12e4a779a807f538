import type { Form } from '../../lib/form.ts';

const TEXTS: Form = { list: 'text' };
const ADDRESS: Form = {
  fields: { family: 'text', local: 'text', prefixlen: 'number', scope: 'text', label: 'text' },
};

/** What `ip -j link` and `ip -j addr` print of a link. */
export const LINK: Form = {
  fields: {
    ifindex: 'number',
    ifname: 'text',
    address: 'text',
    mtu: 'number',
    flags: TEXTS,
    link: 'text',
    link_netnsid: 'number',
    master: 'text',
    ifalias: 'text',
    linkinfo: { fields: { info_kind: 'text', info_data: { fields: {} } } },
    xdp: { fields: { prog: { fields: { id: 'number' } } } },
    addr_info: { list: ADDRESS },
  },
  needs: ['ifindex', 'ifname'],
};

/** What `ip -j route` prints of a route. */
export const ROUTE: Form = {
  fields: {
    dst: 'text',
    type: 'text',
    gateway: 'text',
    dev: 'text',
    table: 'text',
    protocol: 'text',
    scope: 'text',
    prefsrc: 'text',
    metric: 'number',
    flags: TEXTS,
    via: { fields: { family: 'text', host: 'text' } },
    metrics: { list: { fields: {} } },
    nexthops: {
      list: {
        fields: {
          dev: 'text',
          gateway: 'text',
          weight: 'number',
          flags: TEXTS,
          via: { fields: { family: 'text', host: 'text' } },
        },
      },
    },
  },
  needs: ['dst'],
};

/** What `ip -j rule` prints of a rule. */
export const RULE: Form = {
  fields: {
    priority: 'number',
    src: 'text',
    srclen: 'number',
    dst: 'text',
    dstlen: 'number',
    fwmark: 'text',
    fwmask: 'text',
    iif: 'text',
    oif: 'text',
    table: 'text',
    protocol: 'text',
  },
  needs: ['priority'],
};

/** What `ip -j neigh` prints of an entry. */
export const NEIGHBOUR: Form = {
  fields: { dst: 'text', dev: 'text', lladdr: 'text', state: TEXTS },
  needs: ['dst', 'dev'],
};

/** What `ip -j netns list` prints of a namespace. */
export const NETNS: Form = { fields: { name: 'text' }, needs: ['name'] };

/** What `tc -j qdisc show` prints of a qdisc. */
export const QDISC: Form = {
  fields: { kind: 'text', dev: 'text', handle: 'text', ingress_block: 'number', egress_block: 'number' },
  needs: ['kind', 'dev'],
};

/** What `tc -j filter show` prints of a filter. */
export const FILTER: Form = {
  fields: {
    kind: 'text',
    protocol: 'text',
    pref: 'number',
    chain: 'number',
    block: 'number',
    options: {
      fields: {
        bpf_name: 'text',
        prog: { fields: { id: 'number', name: 'text' } },
      },
    },
  },
};

/** What `bpftool -j cgroup show` prints of a program. */
export const CGROUP_PROGRAM: Form = {
  fields: { id: 'number', attach_type: 'text', name: 'text' },
  needs: ['id', 'attach_type'],
};

/** What `bpftool -j net show` prints of a network namespace. */
export const NET: Form = {
  fields: {
    xdp: {
      list: {
        fields: {
          devname: 'text',
          id: 'number',
          mode: 'text',
          multi_attachments: { list: { fields: { id: 'number', mode: 'text' } } },
        },
      },
    },
  },
};
