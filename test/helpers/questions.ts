/** A question to `hubble query`, with the keys of `--top` that ask the same. */
export interface Question {
  keys: string;
  sql: string;
}

/** The questions of docs/parquet.md, their answers as `--top` words them. */
export const QUESTIONS: readonly Question[] = [
  { keys: 'verdict', sql: 'SELECT verdict, count(*) AS count FROM flows GROUP BY 1' },
  {
    keys: 'src.namespace,dst.namespace',
    sql: "SELECT coalesce(if(is_reply, dst_namespace, src_namespace), '-') AS client, coalesce(if(is_reply, src_namespace, dst_namespace), '-') AS server, count(*) FROM flows GROUP BY 1, 2",
  },
  { keys: 'reason', sql: "SELECT coalesce(drop_reason, '-'), count(*) FROM flows GROUP BY 1" },
  {
    keys: 'src.ip,dst.ip,dst.port',
    sql: "SELECT coalesce(if(is_reply, dst_ip, src_ip), '-') AS client, coalesce(if(is_reply, src_ip, dst_ip), '-') AS server, coalesce(nullif(if(is_reply, src_port, dst_port), 0)::VARCHAR, '-') AS port, count(*) FROM flows GROUP BY 1, 2, 3",
  },
  {
    keys: 'dns.query,dns.rcode',
    sql: "SELECT coalesce(dns_query, '-'), coalesce(dns_rcode::VARCHAR, '-'), count(*) FROM flows GROUP BY 1, 2",
  },
];
