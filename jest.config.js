/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts', '<rootDir>/test/**/*.test.tsx'],
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: { '\\.tsx?$': '<rootDir>/scripts/jest-transform.mjs' },
  globalSetup: '<rootDir>/scripts/jest-tmp-setup.mjs',
  globalTeardown: '<rootDir>/scripts/jest-tmp-teardown.mjs',
  testTimeout: 180_000,
};
