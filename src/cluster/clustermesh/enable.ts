import { UserError } from '../../errors.ts';
import type { Flavour } from '../install/flavour.ts';
import type { Values } from './values.ts';

/** How the server of a mesh may be reached from outside. */
export const SERVICE_TYPES = ['LoadBalancer', 'NodePort'] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];

/** Clouds whose load balancers can be kept inside their network. */
const CLOUDS = ['GKE', 'AKS', 'EKS'] as const;
type Cloud = (typeof CLOUDS)[number];

const INTERNAL: Readonly<Record<Cloud, { told: string; annotations: Record<string, string> }>> = {
  GKE: {
    told: '🔮 Auto-exposing service within GCP VPC (networking.gke.io/load-balancer-type=Internal)',
    annotations: {
      'networking.gke.io/load-balancer-type': 'Internal',
      // Other regions of the network reach it too.
      'networking.gke.io/internal-load-balancer-allow-global-access': 'true',
    },
  },
  AKS: {
    told: '🔮 Auto-exposing service within Azure VPC (service.beta.kubernetes.io/azure-load-balancer-internal)',
    annotations: { 'service.beta.kubernetes.io/azure-load-balancer-internal': 'true' },
  },
  EKS: {
    // The reference does not close the bracket either.
    told: '🔮 Auto-exposing service within AWS VPC (service.beta.kubernetes.io/aws-load-balancer-scheme: internal',
    annotations: { 'service.beta.kubernetes.io/aws-load-balancer-scheme': 'internal' },
  },
};

/** The values that switch the mesh on, and what is to be told of them. Throws UserError where the type of its Service is not known. */
export function enableValues(
  serviceType: ServiceType | undefined,
  flavour: Flavour | undefined,
  kvstoremesh: boolean | undefined,
): { values: Values; told: string | undefined } {
  const cloud = CLOUDS.find((one) => one === flavour);
  if (serviceType === undefined && cloud === undefined)
    throw new UserError("cannot auto-detect service type, please specify using '--service-type' option", {
      hint: `There are ${SERVICE_TYPES.join(' and ')}.`,
    });
  const internal = serviceType === undefined && cloud !== undefined ? INTERNAL[cloud] : undefined;
  const service = internal
    ? { type: 'LoadBalancer', annotations: internal.annotations }
    : { type: serviceType };
  const values = {
    clustermesh: {
      useAPIServer: true,
      config: { enabled: true },
      apiserver: {
        service,
        // Certificates are renewed every four months, by a CronJob of the chart.
        tls: { auto: { enabled: true, method: 'cronJob', schedule: '0 0 1 */4 *' } },
        ...(kvstoremesh !== undefined && { kvstoremesh: { enabled: kvstoremesh } }),
      },
    },
  };
  const risk =
    serviceType === 'NodePort'
      ? '⚠️  Using service type NodePort may fail when nodes are removed from the cluster!'
      : undefined;
  return { values, told: internal?.told ?? risk };
}

/** The values that switch it off, and forget the clusters that it was connected to. */
export const DISABLE_VALUES: Values = {
  clustermesh: { useAPIServer: false, config: { enabled: false, clusters: [] } },
};
