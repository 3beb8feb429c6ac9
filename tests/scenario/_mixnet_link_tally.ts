import { encodeHex } from "../../src/core/bytes/mod.ts";
import { type LinkFrame, MixLink } from "../../src/mixnet/mod.ts";

/** Packets on the links of a process, by the peer's link key in hexadecimal. */
export interface LinkTally {
  /** Written to the peer. */
  readonly written: Readonly<Record<string, number>>;
  /** Taken by the link as if they were written, and lost by it. */
  readonly lost: Readonly<Record<string, number>>;
  /** Read from the peer. */
  readonly received: Readonly<Record<string, number>>;
}

/**
 * Counts the packets on every link of this process, and lets links lose some of them: from the moment it is made, `MixLink` itself is
 * changed. Frames that carry no packet pass.
 */
export class LossyLinks implements LinkTally {
  readonly written: Record<string, number> = {};
  readonly lost: Record<string, number> = {};
  readonly received: Record<string, number> = {};
  /** Packets that no link loses. */
  readonly spared = new WeakSet<Uint8Array>();
  /** Share of packets that links lose, 0 to 1. */
  lossShare: number;

  constructor(lossShare: number) {
    this.lossShare = lossShare;
    const { send, frames } = MixLink.prototype;
    const lossy = (list: readonly LinkFrame[]) => this.#pass(list);
    const sent = (peer: Uint8Array, passed: number, lost: number) => {
      add(this.written, peer, passed);
      add(this.lost, peer, lost);
    };
    const came = (peer: Uint8Array, batch: readonly LinkFrame[]) =>
      add(this.received, peer, countPackets(batch));
    MixLink.prototype.send = async function (list) {
      const passed = lossy(list);
      await send.call(this, passed);
      const lost = list.length - passed.length;
      sent(this.remoteStaticKey, countPackets(passed), lost);
    };
    MixLink.prototype.frames = async function* () {
      for await (const batch of frames.call(this)) {
        came(this.remoteStaticKey, batch);
        yield batch;
      }
    };
  }

  /** What there is now. */
  get tally(): LinkTally {
    const { written, lost, received } = this;
    return {
      written: { ...written },
      lost: { ...lost },
      received: { ...received },
    };
  }

  #pass(list: readonly LinkFrame[]): readonly LinkFrame[] {
    return list.filter((frame) =>
      frame.type !== "packet" || this.spared.has(frame.packet) ||
      Math.random() >= this.lossShare
    );
  }
}

/** Sum of a tally's column. */
export function sum(column: Readonly<Record<string, number>>): number {
  return Object.values(column).reduce((a, b) => a + b, 0);
}

function countPackets(frames: readonly LinkFrame[]): number {
  return frames.filter(({ type }) => type === "packet").length;
}

function add(
  column: Record<string, number>,
  peer: Uint8Array,
  count: number,
): void {
  if (count === 0) return;
  const key = encodeHex(peer);
  column[key] = (column[key] ?? 0) + count;
}
