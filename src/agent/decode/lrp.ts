import type { RedirectRow } from '../../model/lrp.ts';
import type { AgentClient } from '../client.ts';
import { type Answer, listAnswer } from './answer.ts';
import type { Reader } from './reader.ts';
import type { LRPSpec } from './types.gen.ts';

/** The local redirect policies. */
export function listRedirects(agent: AgentClient): Promise<Answer<RedirectRow[]>> {
  return listAnswer(agent.get('/lrp'), 'LRPSpec[]', (answer) => answer.items().map(decodeRedirect));
}

function decodeRedirect(policy: Reader<LRPSpec>): RedirectRow {
  return {
    namespace: policy.text('namespace'),
    name: policy.text('name'),
    frontendType: policy.text('frontend-type'),
    service: policy.text('service-id'),
    mappings: policy
      .at('frontend-mappings')
      .items()
      .map((mapping) => {
        const frontend = mapping.at('frontend-address');
        return {
          frontend: {
            ip: frontend.text('ip'),
            port: frontend.integer('port'),
            protocol: frontend.text('protocol'),
          },
          backends: mapping
            .at('backends')
            .items()
            .map((backend) => ({
              ip: backend.at('backend-address').text('ip'),
              port: backend.at('backend-address').integer('port'),
              pod: backend.text('pod-id'),
            })),
        };
      }),
  };
}
