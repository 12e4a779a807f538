/**
 * The JSON schema compiler, in a file of its own so that it can be loaded late: a bundler gives a late import of a
 * CommonJS package no named exports.
 */
export { Ajv } from 'ajv';
