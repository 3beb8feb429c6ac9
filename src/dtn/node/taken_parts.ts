/** Beyond it the oldest are forgotten: all of their fragments are sent again. */
const MAX_BUNDLES = 1_024;

/** How much neighbours have of bundles that they have in part, also when contacts end. */
export class TakenParts {
  /** Bytes of the payload by neighbour, by bundle. */
  readonly #bytes = new Map<string, Map<string, number>>();

  /** How many bytes of its payload `peer` has, from the start; 0 if that is not known. */
  of(id: string, peer: string): number {
    return this.#bytes.get(id)?.get(peer) ?? 0;
  }

  /** `peer` has so many. */
  set(id: string, peer: string, bytes: number): void {
    const parts = this.#bytes.get(id) ?? new Map<string, number>();
    this.#bytes.set(id, parts.set(peer, bytes));
    if (this.#bytes.size <= MAX_BUNDLES) return;
    const [oldest] = this.#bytes.keys();
    this.#bytes.delete(oldest!);
  }

  /** `peer` has all, or the bundle is gone if none is named. */
  forget(id: string, peer?: string): void {
    const parts = this.#bytes.get(id);
    if (peer !== undefined) parts?.delete(peer);
    if (peer === undefined || parts?.size === 0) this.#bytes.delete(id);
  }
}
