import { sanitize } from '../text/sanitize.ts';

/** An explained flow as the text shows it. */
export interface WhyView {
  flow: {
    uuid?: string;
    time?: string;
    from: string;
    to: string;
    port: string;
    verdict: string;
    dropReason?: string;
    direction?: string;
  };
  egress: { answer: string; text: string };
  ingress: { answer: string; text: string };
  agent: readonly { direction: string; answer: string; policies: readonly string[] }[];
  agrees: boolean | undefined;
  /** What the rules decide. */
  verdict: string;
  reproducer?: { rules: readonly unknown[]; from: string; to: string; port: string };
}

/** The flow, the verdict of the rules, the agent's report, and whether they agree. */
export function renderWhy({ flow, egress, ingress, agent, agrees, verdict, reproducer }: WhyView): string {
  const drop = flow.dropReason ? ` (${flow.dropReason})` : '';
  const seen = [
    flow.verdict + drop,
    flow.direction && `on ${flow.direction}`,
    flow.time && `at ${flow.time}`,
  ];
  const open =
    verdict === 'unknown'
      ? 'too little is known to decide this flow'
      : 'this flow does not show what policy decided';
  const lines = [
    `Flow:     ${sanitize(flow.from)} -> ${sanitize(flow.to)} ${flow.port}`,
    `Seen:     ${sanitize(seen.filter(Boolean).join(' '))}`,
    '',
    `Egress:   ${egress.answer.padEnd(9)}${sanitize(egress.text)}`,
    `Ingress:  ${ingress.answer.padEnd(9)}${sanitize(ingress.text)}`,
    '',
    ...(agent.length > 0
      ? agent.map(
          (each) => `Agent:    ${each.direction} ${each.answer} by ${sanitize(each.policies.join('; '))}`,
        )
      : ['Agent:    names no policy for this flow']),
    `Agree:    ${agrees === undefined ? `unknown: ${open}` : agrees ? 'yes' : 'NO'}`,
  ];
  if (reproducer)
    lines.push(
      '',
      'To reproduce with the fewest rules:',
      `  cilium policy simulate --rules - --from '${sanitize(reproducer.from)}' --to '${sanitize(reproducer.to)}' --port ${reproducer.port} <<'EOF'`,
      JSON.stringify(reproducer.rules, null, 2),
      'EOF',
    );
  return `${lines.join('\n')}\n`;
}
