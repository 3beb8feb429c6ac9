import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { deriveSessionKeys, type SessionKeys } from "../../src/htx/keys.ts";
import { Mux, type MuxInit } from "../../src/htx/mux.ts";
import { parameters } from "../../src/htx/parameters.ts";
import type { CloseInfo } from "../../src/htx/payload.ts";
import type { StreamState } from "../../src/htx/stream_state.ts";

/** One end of a {@link MuxPair} and what happened at it. */
export interface MuxEnd {
  readonly mux: Mux;
  readonly opened: StreamState[];
  readonly pongs: number[];
  /** Every batch it sent. */
  readonly sent: Uint8Array[];
  closed: CloseInfo | undefined;
}

/** Two muxes with the same keys and no network between them. */
export class MuxPair {
  readonly client: MuxEnd;
  readonly server: MuxEnd;
  nowMs = 0;

  constructor(
    options: Partial<MuxInit> = {},
    serverOptions: Partial<MuxInit> = {},
  ) {
    this.client = end("client", options);
    this.server = end("server", { ...options, ...serverOptions });
  }

  /** Carries batches both ways until nobody has any; returns how many bytes went. */
  exchange(limitBytes = Infinity): number {
    let total = 0;
    for (let moved = 1; moved > 0 && total < limitBytes;) {
      moved = this.#carry(this.client, this.server) +
        this.#carry(this.server, this.client);
      total += moved;
    }
    return total;
  }

  /** One batch of `from`, copied; empty if there is none. */
  batch(from: MuxEnd): Uint8Array {
    const batch = from.mux.poll(this.nowMs)?.slice() ?? new Uint8Array(0);
    if (batch.length > 0) from.sent.push(batch);
    return batch;
  }

  #carry(from: MuxEnd, to: MuxEnd): number {
    const batch = this.batch(from);
    if (batch.length > 0) to.mux.feed(batch, this.nowMs);
    return batch.length;
  }
}

/** Session keys that both ends of a test share. */
export function testKeys(): SessionKeys {
  return deriveSessionKeys(nodeProvider, {
    chainingKey: new Uint8Array(32).fill(1),
    handshakeHash: new Uint8Array(32).fill(2),
  });
}

/** All that `stream` of `end` has received. */
export function readAll(
  end: MuxEnd,
  stream: StreamState,
  nowMs = 0,
): Uint8Array {
  const out = new Uint8Array(stream.received.length);
  end.mux.read(stream, out, nowMs);
  return out;
}

/** `length` bytes that differ from place to place. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  for (let i = 0, x = seed >>> 0; i < length; i++) {
    x = Math.imul(x, 1_664_525) + 1_013_904_223 >>> 0;
    out[i] = x >>> 24;
  }
  return out;
}

function end(role: "client" | "server", options: Partial<MuxInit>): MuxEnd {
  const opened: StreamState[] = [];
  const pongs: number[] = [];
  const result: MuxEnd = {
    mux: new Mux({
      role,
      crypto: nodeProvider,
      keys: testKeys(),
      local: parameters(),
      remote: parameters(),
      nowMs: 0,
      rttMs: 1,
      pingTimeoutMs: 30_000,
      shaping: { pings: false, idlePadding: false },
      observer: {
        opened: (stream) => opened.push(stream),
        pinged: (_, rttMs) => pongs.push(rttMs),
        ended: () => {},
        closed: (info) => result.closed = info,
      },
      ...options,
    }),
    opened,
    pongs,
    sent: [],
    closed: undefined,
  };
  return result;
}
