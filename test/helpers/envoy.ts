import { createServer, type Server } from 'node:http';

/** What a proxy answers on its admin interface, in Envoy's forms. */
const ANSWERS: Readonly<Record<string, string>> = {
  'GET /certs': '{\n "certificates": []\n}\n',
  'GET /clusters?format=text':
    'xds-grpc-cilium::default_priority::max_connections::1024\nxds-grpc-cilium::added_via_api::false\n',
  'GET /clusters?format=json': '{\n "cluster_statuses": [\n  {\n   "name": "xds-grpc-cilium"\n  }\n ]\n}\n',
  'GET /listeners?format=text': 'envoy-prometheus-metrics-listener::0.0.0.0:9964\n',
  'GET /listeners?format=json': '{\n "listener_statuses": []\n}\n',
  'GET /server_info': '{\n "version": "1.34.1/Distribution/RELEASE/BoringSSL",\n "state": "LIVE"\n}\n',
  'GET /stats/prometheus': '# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n',
  'GET /config_dump?include_eds': '{\n "configs": [\n  {\n   "version_info": "0"\n  }\n ]\n}\n',
  'POST /logging': 'active loggers:\n  admin: info\n  alternate_protocols_cache: warning\n',
};

/** A stand-in for the admin interface of Envoy, which the caller lets listen. */
export function envoyAdmin(): Server {
  return createServer((request, response) => {
    const url = request.url ?? '';
    const resource = /^\/config_dump\?include_eds&resource=(\w+)$/.exec(url)?.[1];
    const answer =
      resource === undefined
        ? ANSWERS[`${request.method} ${url}`]
        : `{\n "configs": [\n  {\n   "@type": "of ${resource}"\n  }\n ]\n}\n`;
    if (answer === undefined) return response.writeHead(404).end('invalid path. admin commands are:\n');
    return response.setHeader('content-type', 'text/plain; charset=UTF-8').end(answer);
  });
}
