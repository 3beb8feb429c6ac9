/** What is here of one bundle. */
export interface PartialBundle {
  /** The name that the whole will have. */
  readonly wholeId: string;
  /** Where it goes, an endpoint of this node. */
  readonly destination: string;
  /** Bytes of the whole payload. */
  readonly totalLength: number;
  /** Bytes of its fragments' payloads: as many as the whole has, or more if they overlap, when all are here. */
  readonly heldBytes: number;
  /** Its fragments, in the order in which they came. */
  readonly pieces: ReadonlyMap<string, Piece>;
}

/** Which part of a payload a fragment has. */
export interface Piece {
  /** Its first byte. */
  readonly offset: number;
  /** How many. */
  readonly length: number;
}

/** What tells a fragment from others. */
export interface FragmentName extends Piece {
  /** The fragment's own. */
  readonly id: string;
  /** The whole's. */
  readonly wholeId: string;
  /** Bytes of the whole payload. */
  readonly totalLength: number;
}

interface Unfinished extends PartialBundle {
  readonly pieces: Map<string, Piece>;
  heldBytes: number;
}

interface Endpoint {
  readonly partials: Map<string, Unfinished>;
  pieces: number;
}

/** How much a {@link FragmentIndex} holds. */
export interface FragmentLimits {
  /** Fragments of one bundle. */
  readonly maxPieces: number;
  /** Fragments for one endpoint. */
  readonly maxPiecesOfEndpoint: number;
  /** Fragments for all endpoints; beyond it the endpoint that was asked of least recently is forgotten, and read again when need be. */
  readonly maxPiecesHeld: number;
  /** Endpoints, in the same way. */
  readonly maxEndpoints: number;
}

const DEFAULTS: FragmentLimits = {
  maxPieces: 4_096,
  maxPiecesOfEndpoint: 16_384,
  maxPiecesHeld: 131_072,
  maxEndpoints: 4_096,
};

/** Which fragments of which bundles are in the store, by endpoint: made from the store when it is asked for, forgotten when there are many. */
export class FragmentIndex {
  /** The one that was asked of most recently is last. */
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #partialOf = new Map<string, Unfinished>();
  readonly #limits: FragmentLimits;

  /** Knows of nothing yet. */
  constructor(limits: Partial<FragmentLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** Whether the fragments for an endpoint are known. */
  has(destination: string): boolean {
    return this.#touch(destination) !== undefined;
  }

  /** Takes up an endpoint, of which all fragments are then to be added. */
  begin(destination: string): void {
    this.#endpoints.set(destination, { partials: new Map(), pieces: 0 });
    this.#makeRoom(destination);
  }

  /** Why there is no room for one more fragment of an endpoint that was begun. */
  refusalOf(
    destination: string,
    name: FragmentName,
  ): "too_many_fragments" | "full" | undefined {
    const { partials, pieces } = this.#endpoints.get(destination)!;
    const { maxPieces, maxPiecesOfEndpoint } = this.#limits;
    const held = partials.get(keyOf(name))?.pieces.size ?? 0;
    if (held >= maxPieces) return "too_many_fragments";
    return pieces < maxPiecesOfEndpoint ? undefined : "full";
  }

  /** Adds a fragment for an endpoint that was begun; its bundle, as far as it is here. */
  add(destination: string, name: FragmentName): PartialBundle {
    const { id, wholeId, totalLength, offset, length } = name;
    const endpoint = this.#endpoints.get(destination)!;
    const key = keyOf(name);
    const partial = endpoint.partials.get(key) ??
      { wholeId, destination, totalLength, pieces: new Map(), heldBytes: 0 };
    if (partial.pieces.has(id)) return partial;
    endpoint.partials.set(key, partial);
    partial.pieces.set(id, { offset, length });
    partial.heldBytes += length;
    this.#partialOf.set(id, partial);
    endpoint.pieces++;
    this.#makeRoom(destination);
    return partial;
  }

  /** A fragment is gone, if it was here. */
  remove(id: string): void {
    const partial = this.#partialOf.get(id);
    if (!partial) return;
    this.#partialOf.delete(id);
    partial.heldBytes -= partial.pieces.get(id)!.length;
    partial.pieces.delete(id);
    const endpoint = this.#endpoints.get(partial.destination)!;
    endpoint.pieces--;
    if (partial.pieces.size === 0) endpoint.partials.delete(keyOf(partial));
  }

  /** What is here of the bundle `wholeId`, of each length that its fragments say it has. */
  of(destination: string, wholeId: string): PartialBundle[] {
    const partials = this.#endpoints.get(destination)?.partials.values() ?? [];
    return [...partials].filter((each) => each.wholeId === wholeId);
  }

  /** Everything that is here for an endpoint. */
  all(destination: string): PartialBundle[] {
    return [...this.#endpoints.get(destination)?.partials.values() ?? []];
  }

  #touch(destination: string): Endpoint | undefined {
    const endpoint = this.#endpoints.get(destination);
    if (!endpoint) return undefined;
    this.#endpoints.delete(destination);
    this.#endpoints.set(destination, endpoint);
    return endpoint;
  }

  /** Forgets endpoints other than `kept`. */
  #makeRoom(kept: string): void {
    const { maxPiecesHeld, maxEndpoints } = this.#limits;
    for (const [destination, { partials }] of this.#endpoints) {
      const isWithin = this.#partialOf.size <= maxPiecesHeld &&
        this.#endpoints.size <= maxEndpoints;
      if (isWithin) return;
      if (destination === kept) continue;
      this.#endpoints.delete(destination);
      for (const { pieces } of partials.values()) {
        for (const id of pieces.keys()) this.#partialOf.delete(id);
      }
    }
  }
}

/** Whether the fragments have every byte of the payload. */
export function isWhole(
  { pieces, totalLength, heldBytes }: PartialBundle,
): boolean {
  if (heldBytes < totalLength) return false;
  const sorted = [...pieces.values()].sort((a, b) => a.offset - b.offset);
  if (sorted[0]?.offset !== 0) return false;
  let end = 0;
  for (const { offset, length } of sorted) {
    if (offset > end) return false;
    end = Math.max(end, offset + length);
  }
  return end === totalLength;
}

/** Fragments of one bundle have it in common (RFC 9171 §5.9). */
function keyOf(
  { wholeId, totalLength }: { wholeId: string; totalLength: number },
): string {
  return `${wholeId} ${totalLength}`;
}
