import type { Form } from '../lib/form.ts';

const TEXTS: Form = { map: 'text' };
const METADATA: Form = {
  fields: {
    name: 'text',
    namespace: 'text',
    labels: TEXTS,
    annotations: TEXTS,
    creationTimestamp: 'text',
    deletionTimestamp: 'text',
    resourceVersion: 'text',
    generation: 'number',
    uid: 'text',
    ownerReferences: { list: { fields: { kind: 'text', name: 'text', uid: 'text' } } },
    finalizers: { list: 'text' },
    managedFields: {
      list: {
        fields: {
          manager: 'text',
          operation: 'text',
          fieldsV1: { fields: { 'f:data': { fields: {} } } },
        },
      },
    },
    // Of a list.
    continue: 'text',
    remainingItemCount: 'number',
  },
};
const CONTAINER_STATE: Form = {
  fields: {
    waiting: { fields: { reason: 'text', message: 'text' } },
    terminated: { fields: { reason: 'text', message: 'text', exitCode: 'number', finishedAt: 'text' } },
    running: { fields: {} },
  },
};
const CONTAINER_STATUSES: Form = {
  list: {
    fields: {
      name: 'text',
      image: 'text',
      ready: 'flag',
      restartCount: 'number',
      containerID: 'text',
      state: CONTAINER_STATE,
      lastState: CONTAINER_STATE,
    },
  },
};
const CONTAINERS: Form = {
  list: {
    fields: {
      name: 'text',
      image: 'text',
      command: { list: 'text' },
      ports: { list: { fields: { name: 'text', containerPort: 'number', protocol: 'text' } } },
    },
  },
};
const SELECTOR: Form = {
  fields: {
    matchLabels: TEXTS,
    matchExpressions: {
      list: {
        fields: { key: 'text', operator: 'text', values: { list: 'text' } },
        needs: ['key', 'operator'],
      },
    },
  },
};
const GATEWAY: Form = { fields: { nodeSelector: SELECTOR, egressIP: 'text', interface: 'text' } };
const NETWORKING: Form = {
  fields: { addressing: { list: { fields: { ipv4: 'text', ipv6: 'text' } } }, node: 'text' },
};
const COUNTS = Object.fromEntries(
  [
    'observedGeneration',
    'desiredNumberScheduled',
    'updatedNumberScheduled',
    'numberAvailable',
    'numberReady',
    'numberUnavailable',
    'replicas',
    'updatedReplicas',
    'availableReplicas',
    'readyReplicas',
    'unavailableReplicas',
  ].map((name): [string, Form] => [name, 'number']),
);

/** An object, as far as this program reads any: pods, nodes, workloads, ConfigMaps, Secrets, policies. */
export const OBJECT: Form = {
  fields: {
    apiVersion: 'text',
    kind: 'text',
    metadata: METADATA,
    data: TEXTS,
    // Of a CiliumIdentity.
    'security-labels': TEXTS,
    // Of a CiliumEndpointSlice.
    namespace: 'text',
    endpoints: { list: { fields: { name: 'text', id: 'number', networking: NETWORKING } } },
    // Of a ControllerRevision.
    revision: 'number',
    // Of an Event.
    type: 'text',
    reason: 'text',
    message: 'text',
    lastTimestamp: 'text',
    eventTime: 'text',
    involvedObject: { fields: { name: 'text' } },
    spec: {
      fields: {
        nodeName: 'text',
        hostNetwork: 'flag',
        containers: CONTAINERS,
        template: { fields: { spec: { fields: { containers: CONTAINERS } } } },
        // Of a CiliumNode.
        addresses: { list: { fields: { type: 'text', ip: 'text' } } },
        ipam: { fields: { podCIDRs: { list: 'text' } } },
        encryption: { fields: { key: 'number' } },
        // Of a CustomResourceDefinition.
        group: 'text',
        names: { fields: { plural: 'text' } },
        versions: { list: { fields: { name: 'text', served: 'flag' } } },
        // Of a CiliumEgressGatewayPolicy.
        selectors: {
          list: { fields: { podSelector: SELECTOR, namespaceSelector: SELECTOR, nodeSelector: SELECTOR } },
        },
        destinationCIDRs: { list: 'text' },
        excludedCIDRs: { list: 'text' },
        egressGateway: GATEWAY,
        egressGateways: { list: GATEWAY },
        // Of a Node.
        podCIDRs: { list: 'text' },
        taints: { list: { fields: { key: 'text', value: 'text', effect: 'text' } } },
        replicas: 'number',
        paused: 'flag',
        selector: { fields: { matchLabels: TEXTS } },
        updateStrategy: { fields: { type: 'text' } },
      },
    },
    status: {
      fields: {
        ...COUNTS,
        phase: 'text',
        reason: 'text',
        message: 'text',
        startTime: 'text',
        // Of a Node.
        addresses: { list: { fields: { type: 'text', address: 'text' } } },
        storedVersions: { list: 'text' },
        nodeInfo: { fields: { kernelVersion: 'text', kubeletVersion: 'text' } },
        // Of a CiliumEndpoint.
        identity: { fields: { id: 'number', labels: { list: 'text' } } },
        networking: NETWORKING,
        podIPs: { list: { fields: { ip: 'text' } } },
        'named-ports': { list: { fields: { name: 'text', port: 'number', protocol: 'text' } } },
        conditions: {
          list: { fields: { type: 'text', status: 'text', reason: 'text', message: 'text' } },
        },
        containerStatuses: CONTAINER_STATUSES,
        initContainerStatuses: CONTAINER_STATUSES,
      },
    },
  },
};

/** A CiliumNodeConfig. */
export const NODE_CONFIG: Form = {
  fields: {
    metadata: METADATA,
    spec: {
      fields: {
        defaults: { map: 'plain' },
        nodeSelector: {
          fields: {
            matchLabels: TEXTS,
            matchExpressions: {
              list: {
                fields: { key: 'text', operator: 'text', values: { list: 'text' } },
                needs: ['key', 'operator'],
              },
            },
          },
        },
      },
    },
  },
};

/** A service, as far as the way through it needs it. */
export const SERVICE: Form = {
  fields: {
    metadata: METADATA,
    spec: {
      fields: {
        clusterIP: 'text',
        type: 'text',
        selector: TEXTS,
        ports: {
          list: { fields: { port: 'number', nodePort: 'number', protocol: 'text', targetPort: 'plain' } },
        },
      },
    },
    status: {
      fields: {
        loadBalancer: { fields: { ingress: { list: { fields: { ip: 'text', hostname: 'text' } } } } },
      },
    },
  },
};

/** A list as the server prints it; cells may be anything. */
export const TABLE: Form = {
  fields: {
    kind: 'text',
    metadata: METADATA,
    columnDefinitions: { list: { fields: { name: 'text', priority: 'number' } } },
    rows: { list: { fields: { object: { fields: { metadata: METADATA } } } } },
  },
};

/** A list of objects of a form. */
export function listOf(form: Form): Form {
  return { fields: { metadata: METADATA, items: { list: form } } };
}

/** What the server says of an object that was deleted: that it is, or the object. */
export const DELETED: Form = { fields: { kind: 'text' } };

/** A group of resources, and the version of it that the server would have one ask for. */
export const GROUP: Form = {
  fields: { preferredVersion: { fields: { groupVersion: 'text' } } },
};

/** The resources of a group. */
export const RESOURCE_LIST: Form = {
  fields: { resources: { list: { fields: { name: 'text', kind: 'text' }, needs: ['name', 'kind'] } } },
};

/** Why a request failed. */
export const STATUS: Form = {
  fields: {
    status: 'text',
    message: 'text',
    reason: 'text',
    code: 'number',
    details: {
      fields: {
        name: 'text',
        kind: 'text',
        causes: { list: { fields: { reason: 'text', message: 'text', field: 'text' } } },
      },
    },
  },
};

/** A kubeconfig as the client library has read it. */
export const KUBECONFIG: Form = {
  fields: {
    currentContext: 'text',
    clusters: {
      list: {
        fields: {
          name: 'text',
          server: 'text',
          caData: 'text',
          caFile: 'text',
          tlsServerName: 'text',
          proxyUrl: 'text',
          skipTLSVerify: 'flag',
        },
        needs: ['name', 'server'],
      },
    },
    contexts: {
      list: { fields: { name: 'text', cluster: 'text', user: 'text', namespace: 'text' }, needs: ['name'] },
    },
    users: {
      list: {
        fields: {
          name: 'text',
          token: 'text',
          username: 'text',
          password: 'text',
          certData: 'text',
          certFile: 'text',
          keyData: 'text',
          keyFile: 'text',
          exec: {
            fields: {
              command: 'text',
              args: { list: 'text' },
              env: { list: { fields: { name: 'text', value: 'text' }, needs: ['name'] } },
            },
          },
          authProvider: { fields: { name: 'text', config: { fields: {} } } },
        },
        needs: ['name'],
      },
    },
  },
};
