/** The SPI that a node encrypts with; 0: it does not encrypt with IPsec. */
export interface NodeSpi {
  node: string;
  spi: number;
}

/**
 * The nodes that have yet to take up the present key. None while no node encrypts with IPsec at all: then the key is not in
 * use yet.
 */
export function rotationUnderWay(nodes: readonly NodeSpi[], spi: number): NodeSpi[] {
  return nodes.every((one) => one.spi === 0) ? [] : nodes.filter((one) => one.spi !== spi);
}
