/** How many of something each network has, see `addressPrefix`; a network that has none takes no memory. */
export class NetworkTally {
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** How many there are over all networks. */
  get total(): number {
    return this.#total;
  }

  /** How many `network` has. */
  of(network: string): number {
    return this.#counts.get(network) ?? 0;
  }

  /** Counts one more. */
  add(network: string): void {
    this.#counts.set(network, this.of(network) + 1);
    this.#total++;
  }

  /** Counts one less. */
  remove(network: string): void {
    const left = this.of(network) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
    this.#total--;
  }
}
