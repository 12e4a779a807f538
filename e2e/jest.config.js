import base from '../jest.config.js';

/** @type {import('jest').Config} */
export default { ...base, rootDir: '..', testMatch: ['<rootDir>/e2e/**/*.test.ts'] };
