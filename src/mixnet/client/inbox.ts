import { type Bytes, concat, Writer } from "../../core/bytes/mod.ts";
import { StorageError, type Store } from "../../core/storage/mod.ts";
import {
  decodePacketBody,
  encodePacketBody,
  type Fragment,
  fragmentRoom,
} from "./packet_body.ts";
import { REPLY_SURB_LENGTH, type ReplySurb } from "./reply_surb.ts";
import type { Instant } from "./route_source.ts";
import { SeenIds } from "./seen_ids.ts";

const KEY = Uint8Array.of("f".charCodeAt(0));
/** What a fragment takes in memory beside what is in it, so that empty ones are not free. */
const FRAGMENT_OVERHEAD = 512;

/** Bounds of {@link Inbox}. */
export interface InboxLimits {
  /** Longest message taken, in bytes. */
  readonly maxMessageBytes: number;
  /** Most messages held: those whose fragments are not all there, and those that wait for the application. */
  readonly maxMessages: number;
  /** Most bytes of fragments held, SURBs and 512 bytes for each fragment included. */
  readonly maxBytes: number;
  /** How long fragments wait for the next one of their message, in milliseconds. */
  readonly reassemblyMs: number;
  /** Most ids of messages taken that are remembered. */
  readonly maxSeen: number;
  /** How long, in milliseconds; longer than a copy can stay in a mailbox. */
  readonly seenMs: number;
}

/** What became of fragments that came. */
export interface InboxCounts {
  /** Taken. */
  readonly accepted: number;
  /** Of a message that was taken already, or the same again. */
  readonly duplicate: number;
  /** At odds with others of the same message. */
  readonly malformed: number;
  /** Of a message that is too long. */
  readonly tooLarge: number;
  /** Not taken as the store is full or too many messages wait for the application: the gateway keeps them. */
  readonly refused: number;
  /** Dropped to make room: of the messages that had waited longest for a fragment. */
  readonly evicted: number;
  /** Dropped as the next one of the message did not come in time. */
  readonly expired: number;
}

/** A message whose fragments are all there. */
export interface Received {
  /** Its id. */
  readonly messageId: Bytes;
  /** What it says. */
  readonly bytes: Bytes;
  /** Ways back. */
  readonly surbs: readonly ReplySurb[];
}

interface Partial {
  readonly messageId: Bytes;
  readonly count: number;
  readonly fragments: Map<number, Fragment>;
  /** When the last fragment came. */
  heardMs: number;
  length: number;
  held: number;
  complete: boolean;
}

/**
 * Puts messages together, in bounded memory, and gives each once.
 *
 * Nobody knows who sends, so whoever opens many messages takes room from others. The message that has waited longest for a fragment
 * goes first: one whose fragments keep coming is lost only if the flood opens as many messages as there is room for between two of
 * them, all of which have to come down one paced link.
 *
 * A fragment is in the {@link Store} when {@link accept} returns, and leaves it when the application has taken the message: who starts
 * again with the same store gets what was not taken, and nothing that was.
 */
export class Inbox {
  readonly #store: Store;
  readonly #bodyLength: number;
  readonly #limits: InboxLimits;
  readonly #maxCount: number;
  readonly #seen: SeenIds;
  /** By id; the one that has waited longest for a fragment first. */
  readonly #partials = new Map<string, Partial>();
  readonly #counts = {
    accepted: 0,
    duplicate: 0,
    malformed: 0,
    tooLarge: 0,
    refused: 0,
    evicted: 0,
    expired: 0,
  };
  #held = 0;

  /** Knows the ids of messages taken; {@link restore} takes the rest of what the store holds. */
  constructor(
    store: Store,
    bodyLength: number,
    limits: InboxLimits,
  ) {
    this.#store = store;
    this.#bodyLength = bodyLength;
    this.#limits = limits;
    const { maxMessageBytes, maxSeen, seenMs } = limits;
    // SURBs may leave the first fragment no room.
    this.#maxCount = 1 +
      Math.ceil(maxMessageBytes / fragmentRoom(bodyLength, 0));
    this.#seen = new SeenIds({
      store,
      prefix: "s",
      capacity: maxSeen,
      keepMs: seenMs,
    });
  }

  /** What became of fragments so far. */
  get counts(): InboxCounts & { readonly forgotten: number } {
    return { ...this.#counts, forgotten: this.#seen.evicted };
  }

  /** Bytes of fragments held. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Whether messages that the application has not taken fill half of the room, so that fragments of others are refused. */
  get isFull(): boolean {
    let count = 0;
    let held = 0;
    for (const partial of this.#partials.values()) {
      if (!partial.complete) continue;
      count++;
      held += partial.held;
    }
    const { maxMessages, maxBytes } = this.#limits;
    return count >= maxMessages / 2 || held >= maxBytes / 2;
  }

  /** Takes the fragments that the store holds, once after the start; gives the messages they complete. */
  restore(at: Instant): Received[] {
    const received: Received[] = [];
    for (const { key, value } of [...this.#store.entries(KEY)]) {
      const body = decodePacketBody(value);
      if (body.kind !== "fragment") continue;
      const message = this.#add(body, at);
      if (message && message !== "refused") received.push(message);
      const partial = this.#partials.get(body.messageId.toHex());
      if (!partial?.fragments.has(body.index)) this.#store.delete(key);
    }
    return received;
  }

  /**
   * Takes a fragment.
   *
   * @returns The message if it is now whole, `"refused"` if there is no room until the application takes messages, else `undefined`.
   */
  accept(fragment: Fragment, at: Instant): Received | "refused" | undefined {
    const { messageId } = fragment;
    if (this.#seen.has(messageId)) {
      this.#counts.duplicate++;
      return undefined;
    }
    if (!this.#partials.has(messageId.toHex()) && this.isFull) {
      this.#counts.refused++;
      return "refused";
    }
    return this.#add(fragment, at, () => {
      const body = encodePacketBody(this.#bodyLength, fragment);
      const head = this.#bodyLength - fragmentRoom(this.#bodyLength, 0);
      const used = head + contentOf(fragment);
      this.#store.set(
        storeKey(messageId, fragment.index),
        body.subarray(0, used),
      );
    });
  }

  /** Notes that the application has taken a message: copies of it are dropped from now on. */
  taken(messageId: Bytes, at: Instant): void {
    const partial = this.#partials.get(messageId.toHex());
    if (!partial) return;
    this.#store.transaction(() => {
      this.#remove(partial); // first, as that makes room in a full store
      this.#seen.add(messageId, at.wallMs);
    });
  }

  /** Drops fragments whose time is over. */
  tick(at: Instant): void {
    this.#seen.tick(at.wallMs);
    for (const partial of this.#partials.values()) {
      if (partial.complete) continue;
      if (partial.heardMs + this.#limits.reassemblyMs > at.nowMs) continue;
      this.#counts.expired += partial.fragments.size;
      this.#remove(partial);
    }
  }

  #add(
    fragment: Fragment,
    at: Instant,
    persist: () => void = () => {},
  ): Received | "refused" | undefined {
    const key = fragment.messageId.toHex();
    const { count, index, messageId, bytes } = fragment;
    const partial: Partial = this.#partials.get(key) ?? {
      messageId,
      count,
      fragments: new Map(),
      heardMs: at.nowMs,
      length: 0,
      held: 0,
      complete: false,
    };
    if (partial.count !== count) {
      this.#counts.malformed++;
      return undefined;
    }
    if (count > this.#maxCount) {
      this.#counts.tooLarge++;
      return undefined;
    }
    if (partial.fragments.has(index)) {
      this.#counts.duplicate++;
      return undefined;
    }
    if (partial.length + bytes.length > this.#limits.maxMessageBytes) {
      this.#counts.tooLarge++;
      this.#remove(partial);
      this.#seen.add(messageId, at.wallMs);
      return undefined;
    }
    try {
      persist();
    } catch (error) {
      if (!(error instanceof StorageError && error.code === "full")) {
        throw error;
      }
      this.#counts.refused++;
      return "refused";
    }
    this.#partials.delete(key);
    this.#partials.set(key, partial);
    partial.heardMs = at.nowMs;
    partial.fragments.set(index, fragment);
    partial.length += bytes.length;
    partial.held += sizeOf(fragment);
    this.#held += sizeOf(fragment);
    this.#counts.accepted++;
    if (partial.fragments.size < count) {
      this.#makeRoom();
      return undefined;
    }
    partial.complete = true;
    const ordered = [...partial.fragments.values()]
      .sort((a, b) => a.index - b.index);
    this.#makeRoom();
    return {
      messageId,
      bytes: concat(...ordered.map((each) => each.bytes)),
      surbs: ordered.flatMap((each) => each.surbs),
    };
  }

  #makeRoom(): void {
    const { maxMessages, maxBytes } = this.#limits;
    for (const partial of this.#partials.values()) {
      if (this.#partials.size <= maxMessages && this.#held <= maxBytes) return;
      if (partial.complete) continue;
      this.#counts.evicted += partial.fragments.size;
      this.#remove(partial);
    }
  }

  #remove(partial: Partial): void {
    this.#partials.delete(partial.messageId.toHex());
    this.#held -= partial.held;
    for (const index of partial.fragments.keys()) {
      this.#store.delete(storeKey(partial.messageId, index));
    }
  }
}

function storeKey(messageId: Bytes, index: number): Bytes {
  return new Writer(19).put(KEY).put(messageId).u16(index).finish();
}

/** Bytes of what is in a fragment. */
function contentOf({ surbs, bytes }: Fragment): number {
  return bytes.length + REPLY_SURB_LENGTH * surbs.length;
}

/** Bytes that a fragment takes in memory. */
function sizeOf(fragment: Fragment): number {
  return FRAGMENT_OVERHEAD + contentOf(fragment);
}
