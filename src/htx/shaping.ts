import type { CryptoProvider } from "../core/crypto/mod.ts";

/** Which emulation of §5.5 runs. */
export interface ShapingOptions {
  /** PINGs at random intervals of 10 to 60 s with ±10 % jitter. Default true. */
  readonly pings?: boolean;
  /** Dummy data after 200 to 1,200 ms without data. Default true. */
  readonly idlePadding?: boolean;
}

/** The figures of §5.5. */
export const SHAPING = {
  pingMinMs: 10_000,
  pingMaxMs: 60_000,
  pingJitter: 0.1,
  idleMinMs: 200,
  idleMaxMs: 1_200,
  paddingMaxBytes: 3_072,
  priorityMin: 0.005,
  priorityMax: 0.03,
} as const;

const RANDOM_BLOCK = 256;

/** Whether a connection sends a PRIORITY frame: at a rate that is itself random in 0.5 to 3 % (§5.5). */
export function drawsPriority(crypto: Pick<CryptoProvider, "random">): boolean {
  const { priorityMin, priorityMax } = SHAPING;
  const draw = new DataView(crypto.random(8).buffer);
  const [rate, chance] = [0, 4].map((at) => draw.getUint32(at) / 2 ** 32);
  return chance! < priorityMin + rate! * (priorityMax - priorityMin);
}

/** Decides when to PING and when to send padding (§5.5); every draw is independent and uniform. */
export class Shaper {
  readonly #crypto: CryptoProvider;
  readonly #pings: boolean;
  readonly #idlePadding: boolean;
  #block: DataView = new DataView(new ArrayBuffer(0));
  #blockOffset = 0;
  #pingAtMs = Infinity;
  #paddingAtMs = Infinity;

  /** Starts both timers. */
  constructor(
    crypto: CryptoProvider,
    nowMs: number,
    { pings = true, idlePadding = true }: ShapingOptions = {},
  ) {
    this.#crypto = crypto;
    this.#pings = pings;
    this.#idlePadding = idlePadding;
    this.#schedulePing(nowMs);
    this.dataSent(nowMs);
  }

  /** When something is due next. */
  get dueAtMs(): number {
    return Math.min(this.#pingAtMs, this.#paddingAtMs);
  }

  /** Starts the idle time anew, since data was sent. */
  dataSent(nowMs: number): void {
    if (!this.#idlePadding) return;
    const { idleMinMs, idleMaxMs } = SHAPING;
    this.#paddingAtMs = nowMs + this.#uniform(idleMinMs, idleMaxMs);
  }

  /** Whether a PING is due; asking draws the time of the next. */
  pingDue(nowMs: number): boolean {
    if (nowMs < this.#pingAtMs) return false;
    this.#schedulePing(nowMs);
    return true;
  }

  /** Bytes of padding due, 0 to 3,072, or `undefined`; asking starts the idle time anew. */
  paddingDue(nowMs: number): number | undefined {
    if (nowMs < this.#paddingAtMs) return undefined;
    this.dataSent(nowMs);
    return Math.floor(this.#uniform(0, SHAPING.paddingMaxBytes + 1));
  }

  #schedulePing(nowMs: number): void {
    if (!this.#pings) return;
    const { pingMinMs, pingMaxMs, pingJitter } = SHAPING;
    const jitter = this.#uniform(1 - pingJitter, 1 + pingJitter);
    this.#pingAtMs = nowMs + this.#uniform(pingMinMs, pingMaxMs) * jitter;
  }

  #uniform(min: number, max: number): number {
    if (this.#blockOffset >= this.#block.byteLength) {
      this.#block = new DataView(this.#crypto.random(RANDOM_BLOCK).buffer);
      this.#blockOffset = 0;
    }
    const value = this.#block.getUint32(this.#blockOffset) / 2 ** 32;
    this.#blockOffset += 4;
    return min + value * (max - min);
  }
}
