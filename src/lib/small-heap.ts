import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 collect garbage when its heap has grown by so much, not when it has grown several times over: of a run whose heap
 * stays small most is garbage, and with it the buffers that no heap counts. Works however the program was started.
 */
export function keepHeapSmall(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
