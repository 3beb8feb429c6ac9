/**
 * Packets on their way through an unwrap pool, all in one buffer that moves between threads without a copy.
 *
 * ```text
 * record   arrival f64 in ms ‖ delay f64 in ns ‖ epoch u32 ‖ outcome u8 ‖ 0 3B
 *          ‖ replay tag 32 ‖ next address or destination 32 ‖ identifier 16
 *          ‖ before: the packet; after: the next packet, or payload ‖ up to a multiple of 8
 * ```
 *
 * @module
 */
import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { SphinxError, type SphinxErrorCode } from "../sphinx/error.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import { unwrapPacket } from "../sphinx/packet.ts";

/** Why a packet could not be unwrapped: a `SphinxError`'s code, no key of its epoch, or a fault of ours. */
export const UNWRAP_DROPS = [
  "epoch",
  "internal",
  "length",
  "weak_point",
  "mac",
  "flag",
  "version",
  "delay",
  "payload",
  "surb",
] as const satisfies readonly (SphinxErrorCode | "epoch" | "internal")[];

/** What became of a packet. */
export type UnwrapOutcome = "forward" | "final" | typeof UNWRAP_DROPS[number];

const OUTCOMES: readonly UnwrapOutcome[] = [
  "forward",
  "final",
  ...UNWRAP_DROPS,
];

const AT = {
  arrival: 0,
  delay: 8,
  epoch: 16,
  outcome: 20,
  tag: 24,
  address: 56,
  identifier: 88,
  packet: 104,
} as const;

/** Epochs travel as their low 32 bits. */
const EPOCHS = 2 ** 32;

/** `epoch` as it travels. */
export function shortEpoch(epoch: number): number {
  return epoch % EPOCHS;
}

/** A bounded list of packets over one buffer; what is read of it are views of that. */
export class UnwrapBatch {
  /** What all records lie in. */
  readonly buffer: ArrayBuffer;
  readonly #geometry: SphinxGeometry;
  readonly #stride: number;
  readonly #view: DataView;
  #count: number;

  /** The first `count` records of `buffer`, none of a new one by default. */
  constructor(geometry: SphinxGeometry, buffer: ArrayBuffer, count = 0) {
    this.#geometry = geometry;
    this.#stride = strideOf(geometry);
    this.buffer = buffer;
    this.#view = new DataView(buffer);
    this.#count = count;
  }

  /** An empty batch with room for `capacity` packets. */
  static withRoom(geometry: SphinxGeometry, capacity: number): UnwrapBatch {
    return new UnwrapBatch(
      geometry,
      new ArrayBuffer(strideOf(geometry) * capacity),
    );
  }

  /** Number of packets. */
  get count(): number {
    return this.#count;
  }

  /** Number of packets that it has room for. */
  get capacity(): number {
    return Math.floor(this.buffer.byteLength / this.#stride);
  }

  /**
   * Copies a packet in, if there is room.
   *
   * @param epoch The epoch that its link named, 32 bits.
   */
  add(epoch: number, packet: Uint8Array, arrivedMs: number): boolean {
    if (this.#count === this.capacity) return false;
    const at = this.#stride * this.#count++;
    this.#view.setFloat64(at + AT.arrival, arrivedMs);
    this.#view.setUint32(at + AT.epoch, epoch);
    const isWhole = packet.length === this.#geometry.packetLength;
    this.#setOutcome(at, isWhole ? "forward" : "length");
    if (isWhole) this.#bytes(at + AT.packet, packet.length).set(packet);
    return true;
  }

  /** Empties it. */
  clear(): void {
    this.#count = 0;
  }

  /** When packet `i` arrived, as {@link add} was told. */
  arrivedMs(i: number): number {
    return this.#view.getFloat64(this.#stride * i + AT.arrival);
  }

  /** How long packet `i` is to be kept, in nanoseconds. */
  delayNs(i: number): number {
    return this.#view.getFloat64(this.#stride * i + AT.delay);
  }

  /** The epoch of packet `i`, 32 bits. */
  epoch(i: number): number {
    return this.#view.getUint32(this.#stride * i + AT.epoch);
  }

  /** What became of packet `i`. */
  outcome(i: number): UnwrapOutcome {
    return OUTCOMES[this.#view.getUint8(this.#stride * i + AT.outcome)]!;
  }

  /** The replay tag of packet `i`, 32 bytes. */
  tag(i: number): Bytes {
    return this.#bytes(this.#stride * i + AT.tag, 32);
  }

  /** Where packet `i` goes next, or whom it is for: 32 bytes. */
  address(i: number): Bytes {
    return this.#bytes(this.#stride * i + AT.address, 32);
  }

  /** The identifier of packet `i`, which ends here: 16 bytes. */
  identifier(i: number): Bytes {
    return this.#bytes(this.#stride * i + AT.identifier, 16);
  }

  /** What packet `i` is for the next node, or the payload that ends here. */
  body(i: number): Bytes {
    const { packetLength, payloadLength } = this.#geometry;
    const length = this.outcome(i) === "final" ? payloadLength : packetLength;
    return this.#bytes(this.#stride * i + AT.packet, length);
  }

  /** Unwraps all packets in place, with the key that `keyFor` has for the epoch of each. */
  unwrap(
    crypto: CryptoProvider,
    keyFor: (epoch: number) => Uint8Array | undefined,
  ): void {
    for (let i = 0; i < this.#count; i++) {
      if (this.outcome(i) === "length") continue;
      const at = this.#stride * i;
      const key = keyFor(this.epoch(i));
      this.#setOutcome(at, key ? this.#unwrapOne(at, crypto, key) : "epoch");
    }
  }

  #unwrapOne(
    at: number,
    crypto: CryptoProvider,
    key: Uint8Array,
  ): UnwrapOutcome {
    const packet = this.#bytes(at + AT.packet, this.#geometry.packetLength);
    try {
      const unwrapped = unwrapPacket(crypto, this.#geometry, key, packet);
      this.#bytes(at + AT.tag, 32).set(unwrapped.replayTag);
      if (unwrapped.kind === "forward") {
        this.#view.setFloat64(at + AT.delay, unwrapped.delayNs);
        this.#bytes(at + AT.address, 32).set(unwrapped.nextAddress);
        packet.set(unwrapped.packet);
      } else {
        this.#bytes(at + AT.address, 32).set(unwrapped.destination);
        this.#bytes(at + AT.identifier, 16).set(unwrapped.identifier);
        packet.set(unwrapped.payload);
      }
      return unwrapped.kind;
    } catch (error) {
      return error instanceof SphinxError ? error.code : "internal";
    }
  }

  #setOutcome(at: number, outcome: UnwrapOutcome) {
    this.#view.setUint8(at + AT.outcome, OUTCOMES.indexOf(outcome));
  }

  #bytes(at: number, length: number): Bytes {
    return new Uint8Array(this.buffer, at, length);
  }
}

function strideOf({ packetLength }: SphinxGeometry): number {
  return Math.ceil((AT.packet + packetLength) / 8) * 8;
}
