import type { BenchHop } from "./_mixnode_network.ts";

/** What a worker is to make. */
export interface PacketPlan {
  readonly count: number;
  readonly payloadLength: number;
  readonly meanDelayMs: number;
  readonly maxDelayMs: number;
  readonly node: BenchHop;
  readonly sink: BenchHop;
}

/** What it made: packets one behind the other, the SHA-256 of what the node makes of each, and how long it keeps each. */
export interface PacketChunk {
  readonly packets: Uint8Array<ArrayBuffer>;
  readonly digests: Uint8Array<ArrayBuffer>;
  readonly delaysMs: Float64Array<ArrayBuffer>;
}

const CHUNK = 5_000;

/** Packets that were made before they are needed, and how to know what comes of them again. */
export class PreparedPackets {
  readonly #packetLength: number;
  readonly #chunks: readonly PacketChunk[];
  /** Numbers of packets by the first 8 bytes of what comes of them. */
  readonly #numbers = new Map<bigint, number>();

  private constructor(packetLength: number, chunks: readonly PacketChunk[]) {
    this.#packetLength = packetLength;
    this.#chunks = chunks;
    for (const [at, { digests }] of chunks.entries()) {
      const words = new BigUint64Array(digests.buffer);
      for (let i = 0; i < CHUNK; i++) {
        this.#numbers.set(words[4 * i]!, at * CHUNK + i);
      }
    }
    if (this.#numbers.size !== this.count) throw new Error("Packets are alike");
  }

  /** Makes at least `count`, on all processors. */
  static async make(
    packetLength: number,
    { count, ...plan }: PacketPlan,
  ): Promise<PreparedPackets> {
    const chunks: PacketChunk[] = [];
    let left = Math.ceil(count / CHUNK);
    const work = async () => {
      const worker = new Worker(
        new URL("./_mixnode_packets_worker.ts", import.meta.url),
        { type: "module" },
      );
      while (left-- > 0) {
        chunks.push(await ask(worker, { ...plan, count: CHUNK }));
      }
      worker.terminate();
    };
    const { hardwareConcurrency } = navigator;
    await Promise.all(Array.from({ length: hardwareConcurrency }, work));
    return new PreparedPackets(packetLength, chunks);
  }

  /** How many there are. */
  get count(): number {
    return this.#chunks.length * CHUNK;
  }

  /** Packet `i`. */
  packet(i: number): Uint8Array {
    const at = (i % CHUNK) * this.#packetLength;
    return this.#chunkOf(i).packets.subarray(at, at + this.#packetLength);
  }

  /** How long its sender wants packet `i` to be kept. */
  delayMs(i: number): number {
    return this.#chunkOf(i).delaysMs[i % CHUNK]!;
  }

  /** Which packet that with this digest, 32 bytes, comes of; `undefined` if of none. */
  numberOf(digest: Uint8Array<ArrayBuffer>): number | undefined {
    const words = new BigUint64Array(digest.buffer, digest.byteOffset, 4);
    const number = this.#numbers.get(words[0]!);
    if (number === undefined) return undefined;
    const at = (number % CHUNK) * 32;
    const { digests } = this.#chunkOf(number);
    const expected = new BigUint64Array(digests.buffer, at, 4);
    return words.every((word, i) => word === expected[i]) ? number : undefined;
  }

  #chunkOf(i: number): PacketChunk {
    return this.#chunks[Math.floor(i / CHUNK)]!;
  }
}

function ask(worker: Worker, plan: PacketPlan): Promise<PacketChunk> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(plan);
  });
}
