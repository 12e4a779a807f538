declare const TOOLKIT_VERSION: string | undefined;
declare const TOOLKIT_REVISION: string | undefined;
declare const TOOLKIT_DATE: string | undefined;

/** Whether this is the bundle, not a run from source. */
export const BUNDLED = typeof TOOLKIT_VERSION === 'string';

/** This toolkit's version; the bundle carries it, a run from source says so. */
export const VERSION = typeof TOOLKIT_VERSION === 'string' ? TOOLKIT_VERSION : '0.0.0-source';

/** Short commit that the bundle was made from, and its date; `unknown` outside a checkout. */
export const REVISION = typeof TOOLKIT_REVISION === 'string' ? TOOLKIT_REVISION : 'unknown';
export const REVISION_DATE = typeof TOOLKIT_DATE === 'string' ? TOOLKIT_DATE : 'unknown';
