import type { RedirectRow } from '../../model/lrp.ts';
import { Reader } from './reader.ts';
import type { LRPSpec } from './types.gen.ts';

/** What is shown of local redirect policies. */
export function decodeRedirects(answer: unknown): RedirectRow[] {
  return new Reader<LRPSpec[]>('GET /lrp', answer).items().map((policy) => ({
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
  }));
}
