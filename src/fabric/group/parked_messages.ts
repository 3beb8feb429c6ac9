import type { AgentId } from "../identity/agent_id.ts";

/** A message that waits for an epoch. */
export interface ParkedMessage {
  /** Who brought it. */
  readonly from: AgentId;
  /** As it came. */
  readonly bytes: Uint8Array;
  /** The number of the epoch that it waits for. */
  readonly epoch: number;
  /** Whether who brought it is, or was, a member as far as is known here. */
  readonly isKnown: boolean;
}

/** Limits of {@link ParkedMessages}. */
export interface ParkingLimits {
  /** Most messages; 1,024 by default. */
  readonly maxMessages?: number;
  /** Most of one agent; 128 by default. */
  readonly maxOfAgent?: number;
  /** Most bytes of them; 8 MiB by default. */
  readonly maxBytes?: number;
}

/** One agent has at most this share of the bytes, and all who are not known together of messages and bytes. */
const SHARE = 1 / 4;

const LIMITS: Required<ParkingLimits> = {
  maxMessages: 1_024,
  maxOfAgent: 128,
  maxBytes: 8 * 1024 * 1024,
};

/** Messages for epochs that are not here yet, by the names of the epochs. */
export class ParkedMessages {
  readonly #limits: Required<ParkingLimits>;
  readonly #waiting = new Map<string, ParkedMessage[]>();
  #size = 0;
  #bytes = 0;

  /** Starts with none. */
  constructor(limits: ParkingLimits = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Messages that wait. */
  get size(): number {
    return this.#size;
  }

  /** Lets a message wait for the epoch `at`; `false` if there is no room. */
  park(at: string, message: ParkedMessage): boolean {
    const { maxMessages, maxBytes, maxOfAgent } = this.#limits;
    const { bytes, from, isKnown } = message;
    const waiting = this.#waiting.get(at) ?? [];
    const isHere = waiting.some((each) => each.bytes.toHex() === bytes.toHex());
    if (isHere) return true;
    const own = this.#roomOf((each) => each.from.equals(from));
    if (
      this.#size >= maxMessages || this.#bytes + bytes.length > maxBytes ||
      own.count >= maxOfAgent || own.bytes + bytes.length > SHARE * maxBytes
    ) return false;
    const strangers = this.#roomOf((each) => !each.isKnown);
    if (
      !isKnown && (strangers.count >= SHARE * maxMessages ||
        strangers.bytes + bytes.length > SHARE * maxBytes)
    ) return false;
    waiting.push(message);
    this.#waiting.set(at, waiting);
    this.#size++;
    this.#bytes += bytes.length;
    return true;
  }

  /** The messages that wait for an epoch, which is here now. */
  take(at: string): readonly ParkedMessage[] {
    const messages = this.#waiting.get(at) ?? [];
    this.#waiting.delete(at);
    this.#size -= messages.length;
    for (const { bytes } of messages) this.#bytes -= bytes.length;
    return messages;
  }

  /** Gives up those that wait for an epoch of a number below `epoch`; says how many. */
  dropBelow(epoch: number): number {
    let count = 0;
    for (const [at, messages] of this.#waiting) {
      if (messages.every((each) => each.epoch < epoch)) {
        count += this.take(at).length;
      }
    }
    return count;
  }

  #roomOf(
    isOf: (message: ParkedMessage) => boolean,
  ): { count: number; bytes: number } {
    const room = { count: 0, bytes: 0 };
    for (const messages of this.#waiting.values()) {
      for (const each of messages) {
        if (!isOf(each)) continue;
        room.count++;
        room.bytes += each.bytes.length;
      }
    }
    return room;
  }
}
