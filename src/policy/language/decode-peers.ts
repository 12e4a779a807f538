import { type Label, parseLabel } from '../../model/label.ts';
import type { Release } from '../../model/release.ts';
import { type LabelSelector, OPERATORS, type Requirement } from '../../model/selector.ts';
import {
  type Authentication,
  type CidrRule,
  ENTITIES,
  type Entity,
  type Group,
  type Service,
} from '../rule.ts';
import { checkCidr, checkCidrRule, checkRequirement } from './check-peers.ts';
import { bool, type Cursor, type Decode, type Field, list, object, oneOf, text, texts } from './decoders.ts';
import { checkLabelKey, checkLabelValue, selectorKey } from './label.ts';

/** The parts of the policy language about endpoints and peers. Fields are in the order in which the agent prints them. */

type KeyRule = (written: string, at: Cursor) => string;

const agentKey: KeyRule = (written, at) => {
  const key = selectorKey(written);
  checkLabelKey(key.replace(':', '.'), written, at);
  return key;
};

const plainKey: KeyRule = (written, at) => {
  if (written.includes(':'))
    at.fail(
      'label-key',
      `invalid label selector: key "${written}" may not have a source`,
      'Remove the source, which is the part before ":".',
    );
  else checkLabelKey(written, written, at);
  return written;
};

function selectorOf(
  key: KeyRule,
  schema: 'custom' | 'none',
  instead?: Readonly<Record<string, string>>,
): Decode<LabelSelector> {
  const requirement = object<Requirement>({
    name: 'a match expression',
    fields: {
      key: { decode: text((value, at) => key(value, at)), required: true },
      operator: {
        decode: oneOf(
          OPERATORS,
          (word) => `invalid label selector: "${word}" is not a valid label selector operator`,
        ),
        required: true,
      },
      values: { decode: list(text(checkLabelValue)) },
    },
    check: checkRequirement,
  });
  return object<LabelSelector>({
    name: 'a selector',
    ...(instead && { instead }),
    fields: {
      matchLabels: { decode: texts(key, text(checkLabelValue), schema) },
      matchExpressions: { decode: list(requirement) },
    },
  });
}

/** Selects endpoints or nodes. Keys get a source. */
export const SELECTOR = selectorOf(agentKey, 'custom');
/** Selects Kubernetes objects by their own labels. */
export const PLAIN_SELECTOR = selectorOf(plainKey, 'none', {});

/** The label of a rule: an object, or `source:key=value`. */
export const RULE_LABEL: Decode<Label> = (value, at) => {
  if (typeof value === 'string') {
    const label = parseLabel(value);
    return label.key === '' ? at.fail('label', 'a label must have a key') : label;
  }
  return LABEL_OBJECT(value, at);
};

const LABEL_OBJECT = object<Label>({
  name: 'a label',
  fields: { key: { decode: text(), required: true }, value: { decode: text() }, source: { decode: text() } },
  check: (label, at) => {
    if (label.key === '') at.fail('label', 'a label must have a key');
    label.value ??= '';
    label.source ??= '';
  },
});

const ENTITY: Decode<Entity> = (value, at) => {
  const entity = oneOf(ENTITIES, (word) => `unsupported entity: ${word}`)(value, at);
  const since = entity && ENTITY_SINCE[entity];
  if (since && !at.reaches(since))
    at.fail(
      'release',
      `Cilium ${at.options.target} does not know the entity "${entity}"`,
      `It came with ${since}.`,
    );
  // From 1.18 on the schema says so.
  else if (entity?.startsWith('world-') && at.options.form === 'kubernetes' && at.before('1.18'))
    at.fail(
      'schema',
      `objects may not name the entity "${entity}"`,
      `The schema of the custom resource does not list it: use the CIDR ${entity === 'world-ipv4' ? '0.0.0.0/0' : '::/0'}.`,
    );
  return entity;
};

const ENTITY_SINCE: Partial<Record<Entity, Release>> = {
  'kube-apiserver': '1.11',
  ingress: '1.12',
  'world-ipv4': '1.15',
  'world-ipv6': '1.15',
  'cluster-mesh': '1.20',
};

function cidrRuleOf(groupsSince: Release): Decode<CidrRule> {
  return object<CidrRule>({
    name: 'a CIDR set',
    fields: {
      cidr: { decode: text() },
      cidrGroupRef: { decode: text(), since: groupsSince },
      cidrGroupSelector: { decode: PLAIN_SELECTOR, since: '1.17' },
      except: { decode: list(text()) },
    },
    check: checkCidrRule,
  });
}

const GROUP = object<Group>({
  name: 'a group',
  fields: {
    aws: {
      decode: object<NonNullable<Group['aws']>>({
        name: 'an AWS group',
        fields: {
          labels: { decode: texts((name) => name, text()) },
          securityGroupsIds: { decode: list(text()) },
          securityGroupsNames: { decode: list(text()) },
          region: { decode: text() },
        },
      }),
    },
  },
});

const SERVICE = object<Service>({
  name: 'a service',
  fields: {
    k8sServiceSelector: {
      decode: object<NonNullable<Service['k8sServiceSelector']>>({
        name: 'a service selector',
        fields: { selector: { decode: PLAIN_SELECTOR, required: true }, namespace: { decode: text() } },
      }),
    },
    k8sService: {
      decode: object<NonNullable<Service['k8sService']>>({
        name: 'a service by name',
        fields: { serviceName: { decode: text() }, namespace: { decode: text() } },
      }),
    },
  },
});

const REQUIRES = {
  decode: list(SELECTOR),
  until: '1.19',
  instead: 'Add the same conditions to the selectors of fromEndpoints or toEndpoints.',
} satisfies Field<LabelSelector[]>;
const NODES = { decode: list(SELECTOR), since: '1.16' } satisfies Field<LabelSelector[]>;

export const INGRESS_PEERS = {
  fromEndpoints: { decode: list(SELECTOR) },
  fromRequires: REQUIRES,
  fromCIDR: { decode: list(text(checkCidr)) },
  fromCIDRSet: { decode: list(cidrRuleOf('1.14')) },
  fromEntities: { decode: list(ENTITY) },
  fromGroups: { decode: list(GROUP), since: '1.16' },
  fromNodes: NODES,
} as const;

export const EGRESS_PEERS = {
  toEndpoints: { decode: list(SELECTOR) },
  toRequires: REQUIRES,
  toCIDR: { decode: list(text(checkCidr)) },
  toCIDRSet: { decode: list(cidrRuleOf('1.15')) },
  toEntities: { decode: list(ENTITY) },
  toServices: { decode: list(SERVICE) },
  toGroups: { decode: list(GROUP) },
  toNodes: NODES,
} as const;

export const AUTHENTICATION = {
  decode: object<Authentication>({
    name: 'an authentication',
    fields: {
      mode: {
        decode: oneOf(
          ['disabled', 'required', 'test-always-fail'],
          (word) => `"${word}" is not an authentication mode`,
        ),
        required: true,
      },
    },
  }),
  since: '1.14',
} satisfies Field<Authentication>;

export const DEFAULT_DENY = {
  decode: object<{ ingress?: boolean; egress?: boolean }>({
    name: 'a default-deny switch',
    fields: { ingress: { decode: bool }, egress: { decode: bool } },
  }),
  since: '1.16',
} satisfies Field<{ ingress?: boolean; egress?: boolean }>;
