import type { ExternalOptions } from '../../cluster/connectivity/external.ts';
import type { ReportFormat } from '../../model/report-format.ts';
import type { FlowValidation } from './runner.ts';

/** Images of the reference. */
export const CURL_IMAGE = 'quay.io/cilium/alpine-curl:v1.10.0';
export const ECHO_IMAGE = 'quay.io/cilium/json-mock:v1.4.1';

/** The flags of `connectivity test`. */
export interface ConnectivityTestOptions extends ExternalOptions {
  all?: boolean;
  test: string[];
  singleNode?: boolean;
  nodeSelector?: string;
  tolerations: string[];
  ipFamilies: string[];
  testNamespace: string;
  namespaceLabels: string[];
  image?: string;
  curlImage: string;
  jsonMockImage: string;
  serviceType: string;
  forceDeploy?: boolean;
  keep?: boolean;
  cleanup?: boolean;
  deployTimeout: number;
  connectTimeout: number;
  requestTimeout: number;
  timeLimit?: number;
  flowValidation: FlowValidation;
  verbose?: boolean;
  timestamp?: boolean;
  junitFile?: string;
  junit?: string;
  junitProperty: string[];
  output: 'text' | 'json' | ReportFormat;
  html?: string;
  exitZeroOnFailure?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}
