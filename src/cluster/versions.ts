import { compareBytes } from '../lib/order.ts';

/** A pod, as far as it tells what runs in it. */
export interface RunningPod {
  node: string;
  labels: Readonly<Record<string, string>>;
  containers: readonly { name?: string; image?: string }[];
}

/** An image of a component of Cilium, and how many pods run it. */
export interface RunningImage {
  component: string;
  image: string;
  /** Tag of the image; empty where it has none. */
  version: string;
  pods: number;
  nodes: string[];
}

/** A label by which the pods of a component are known, and the container that counts. */
const COMPONENTS: readonly { name: string; label: readonly [string, string]; container: string }[] = [
  { name: 'cilium-agent', label: ['k8s-app', 'cilium'], container: 'cilium-agent' },
  { name: 'cilium-operator', label: ['io.cilium/app', 'operator'], container: 'cilium-operator' },
  { name: 'cilium-envoy', label: ['k8s-app', 'cilium-envoy'], container: 'cilium-envoy' },
  { name: 'hubble-relay', label: ['k8s-app', 'hubble-relay'], container: 'hubble-relay' },
  { name: 'hubble-ui', label: ['k8s-app', 'hubble-ui'], container: 'frontend' },
  { name: 'clustermesh-apiserver', label: ['k8s-app', 'clustermesh-apiserver'], container: 'apiserver' },
];
/** Components whose images are of Cilium's own version. */
const OF_CILIUM = new Set(['cilium-agent', 'cilium-operator', 'hubble-relay', 'clustermesh-apiserver']);

/** The images that run, by component and version. */
export function runningImages(pods: readonly RunningPod[]): RunningImage[] {
  const found = new Map<string, RunningImage>();
  for (const { name, label, container } of COMPONENTS)
    for (const { labels, containers, node } of pods) {
      if (labels[label[0]] !== label[1]) continue;
      const { image } = containers.find((one) => one.name === container) ?? containers[0] ?? {};
      if (image === undefined) continue;
      const key = `${name} ${image}`;
      const one = found.get(key) ?? { component: name, image, version: tagOf(image), pods: 0, nodes: [] };
      one.pods++;
      one.nodes.push(node);
      found.set(key, one);
    }
  const rank = ({ component }: RunningImage) => COMPONENTS.findIndex(({ name }) => name === component);
  return [...found.values()]
    .map((one) => ({ ...one, nodes: one.nodes.toSorted(compareBytes) }))
    .toSorted((a, b) => rank(a) - rank(b) || compareBytes(a.image, b.image));
}

/** Of these images those that are not of the version of the chart; all where that is not known. */
export function unlikeChart(images: readonly RunningImage[], chart: string | undefined): RunningImage[] {
  if (chart === undefined) return [...images];
  const plain = (version: string) => version.replace(/^v/, '');
  return images.filter(
    ({ component, version }) => OF_CILIUM.has(component) && plain(version) !== plain(chart),
  );
}

function tagOf(image: string): string {
  return /:([^/:@]+)(?:@|$)/.exec(image)?.[1] ?? '';
}
