// npm pack in a checkout would make a package with scripts that need a compiler and tools that nobody else has.
console.error(
  'Error: what is published is not this folder: "npm run package" makes the npm package in build/packages/.',
);
process.exit(1);
