// What start.ts loads once the compile cache is on: one import, so that it is one file of the bundle.
export { main } from '../main.ts';
export { leave, systemContext } from '../system.ts';
