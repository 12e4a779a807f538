import { sanitize } from '../text/sanitize.ts';

export interface EndView {
  name: string;
  identity?: number;
  labels: readonly string[];
}

export interface DirectionView {
  direction: string;
  answer: string;
  text: string;
}

/** A decided connection as the text shows it. */
export interface SimulationView {
  from: EndView;
  to: EndView;
  port: string;
  verdict: string;
  /** The service that the destination is an address of, and the verdict for each of its backends. */
  service?: string;
  backends?: readonly { name: string; port: string; verdict: string }[] | undefined;
  egress: DirectionView;
  ingress: DirectionView;
  changes: readonly { text: string; location?: string }[];
}

/** Both ends, both directions, the verdict, and changes that would allow the connection. */
export function renderSimulation(view: SimulationView): string {
  const lines = [
    `From:     ${end(view.from)}`,
    `To:       ${end(view.to)}`,
    `Port:     ${view.port}`,
    ...(view.service === undefined ? [] : [`Service:  ${sanitize(view.service)}: policy sees its backends`]),
    ...(view.backends ?? []).map(
      ({ name, port, verdict }) => `Backend:  ${sanitize(name)} ${port} ${verdict}`,
    ),
    '',
    direction('Egress', view.egress),
    direction('Ingress', view.ingress),
    '',
    `Verdict:  ${view.verdict}`,
  ];
  if (view.changes.length > 0)
    lines.push(
      '',
      'To allow it:',
      ...view.changes.map(
        ({ location, text }) => `  ${location ? `${sanitize(location)}: ` : ''}${sanitize(text)}`,
      ),
    );
  return `${lines.join('\n')}\n`;
}

function end({ name, identity, labels }: EndView): string {
  const who = identity === undefined ? '' : `identity ${identity}: `;
  return `${sanitize(name)} (${who}${labels.map(sanitize).join(', ')})`;
}

function direction(title: string, { answer, text }: DirectionView): string {
  return `${`${title}:`.padEnd(10)}${answer.padEnd(9)}${sanitize(text)}`;
}
