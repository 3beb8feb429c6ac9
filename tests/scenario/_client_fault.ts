import { type Clock, delay } from "../../src/core/async/mod.ts";
import type { Connection } from "../../src/core/transport/mod.ts";
import { wrapWrites } from "./_link_trace.ts";

/** What a client does wrong, so that its cover can be told from traffic. */
export interface ClientFault {
  /** How many times as often as honest it wants to send. */
  readonly haste?: number;
  /** What stands between the client and its connection. */
  readonly disturb?: (connection: Connection, chance: Chance) => Connection;
  /** What the observer sees of what is written. */
  readonly seen?: (bytes: Uint8Array) => Uint8Array;
}

/** Time and draws of a run. */
export interface Chance {
  readonly clock: Clock;
  readonly random: () => number;
}

/** Gaps are uniform between 0 and twice their mean: the rate is right, the law is not. */
export function uniformGaps(ratePerSecond: number): ClientFault {
  return {
    haste: 50, // so that something always waits to be sent
    disturb(connection, { clock, random }) {
      let atMs = clock.now();
      return wrapWrites(connection, async (bytes) => {
        atMs += random() * 2_000 / ratePerSecond;
        await delay(clock, Math.max(0, atMs - clock.now()));
        await connection.write(bytes);
      });
    },
  };
}

/** A frame is written in two parts. */
export const SPLIT_WRITES: ClientFault = {
  disturb: (connection) =>
    wrapWrites(connection, async (bytes) => {
      await connection.write(bytes.subarray(0, 1_000));
      await connection.write(bytes.subarray(1_000));
    }),
};

/** A frame is one byte shorter than it should be. */
export const SHORT_FRAMES: ClientFault = {
  seen: (bytes) => bytes.subarray(1),
};

/** The first byte of a frame is always the same. */
export const MARKED_FRAMES: ClientFault = {
  seen: (bytes) => {
    bytes[0] = 0x17;
    return bytes;
  },
};

/** The end of a frame is zeros that were not encrypted. */
export const BARE_PADDING: ClientFault = {
  seen: (bytes) => bytes.fill(0, bytes.length - 64),
};
