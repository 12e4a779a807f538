declare const TOOLKIT_VERSION: string | undefined;

/** This toolkit's version; the bundle carries it, a run from source says so. */
export const VERSION = typeof TOOLKIT_VERSION === 'string' ? TOOLKIT_VERSION : '0.0.0-source';
