/** Ways in which clusters are connected, in the order that an error names them in. */
export const CONNECTION_MODES = ['bidirectional', 'mesh', 'unicast'] as const;
export type ConnectionMode = (typeof CONNECTION_MODES)[number];
