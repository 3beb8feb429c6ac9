import {
  type Bytes,
  concat,
  encodeCbor,
  Reader,
  Writer,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { SetOptions, Store } from "../../core/storage/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";
import type { GroupEpoch, NewEpoch } from "./group_branches.ts";
import { decodeEpoch, encodeEpoch, type Held } from "./held_epoch.ts";
import type { GroupCrypto } from "./mls/group_crypto.ts";
import type { LostFork } from "./old_forks.ts";
import { decodeWish, encodeWish, type Wish } from "./wish.ts";

/** A member's decision for an epoch. */
export interface AckRow {
  /** The name of the epoch, in hexadecimal. */
  readonly id: string;
  /** Its number. */
  readonly epoch: number;
  /** Who decided. */
  readonly member: AgentId;
  /** What it signed. */
  readonly signed: Bytes;
}

/** What was published here, and in which epoch. */
export interface SentRow {
  /** The epoch, in hexadecimal. */
  readonly at: string;
  /** As `encodePublished` gives it. */
  readonly message: Bytes;
}

/** What another member published, and no handler has had. */
export interface DueRow {
  /** Its place. */
  readonly sequence: number;
  /** Who published it. */
  readonly from: AgentId;
  /** In which epoch. */
  readonly epoch: number;
  /** As `encodePublished` gives it. */
  readonly message: Bytes;
}

/** A Welcome that the outbox does not have for all whom it lets in. */
export interface WelcomeRow {
  /** The epoch, in hexadecimal. */
  readonly id: string;
  /** Whom it lets in. */
  readonly to: readonly AgentId[];
  /** As it is sent. */
  readonly bytes: Bytes;
}

/** Most agents that one commit lets in. */
const MAX_ADDED = 1_024;
const LETTING_IN = Uint8Array.of("l".charCodeAt(0));
const [EPOCH, PAST, ACK, LOCK, WISH, SENT, SEEN, DUE, WELCOME, OUT] = [
  ..."eakcwsrdmo",
]
  .map((letter) => Uint8Array.of(letter.charCodeAt(0))) as [
    ...[Bytes, Bytes, Bytes, Bytes, Bytes, Bytes, Bytes, Bytes, Bytes, Bytes],
  ];
const MAX_BYTES = 2 * 1024 * 1024;
const WHAT = "row of a group";
const read = new FieldReader(WHAT);

/** Parts of {@link GroupRows}. */
export interface GroupRowsOptions {
  /** Hashes. */
  readonly crypto: CryptoProvider;
  /** Reads states. */
  readonly mls: GroupCrypto;
  /** The group. */
  readonly group: Uint8Array;
  /** Where the rows are; they have it for themselves. */
  readonly store: Store;
}

/** Reads and writes the rows of one group; what is written is there after {@link GroupRows.commit}, all of it or nothing. */
export class GroupRows {
  readonly #options: GroupRowsOptions;
  #changes: ((store: Store) => void)[] = [];

  /** Has the store for itself. */
  constructor(options: GroupRowsOptions) {
    this.#options = options;
  }

  /**
   * Makes all changes since the last time.
   *
   * @throws {StorageError} If they cannot be written; none of them is made then, and all of them are tried again by the next call.
   */
  commit(): void {
    const { store } = this.#options;
    const changes = this.#changes;
    if (changes.length === 0) return;
    store.transaction(() => {
      for (const change of changes) change(store);
    });
    this.#changes = [];
  }

  /** Epochs that are kept, those before others first. */
  epochs(): readonly (NewEpoch<Held> & { readonly isFinal: boolean })[] {
    return this.#values(EPOCH).map((value) => this.#epochOf(value))
      .sort((a, b) => a.epoch - b.epoch);
  }

  /** Keeps an epoch. */
  setEpoch(epoch: GroupEpoch<Held> | NewEpoch<Held>): void {
    const key = concat(EPOCH, Uint8Array.fromHex(epoch.id));
    this.#set(key, encodeEpoch(epoch));
  }

  /** Erases an epoch and its secrets. */
  deleteEpoch(id: string): void {
    this.#delete(concat(EPOCH, Uint8Array.fromHex(id)));
  }

  /** Epochs that count and are not kept any more, oldest first: without secrets. */
  past(): readonly (NewEpoch<Held> & { readonly isFinal: boolean })[] {
    return this.#values(PAST).map((value) => this.#epochOf(value));
  }

  /** Keeps the name of an epoch that counts, and what began it. */
  addPast(epoch: GroupEpoch<Held> | NewEpoch<Held>): void {
    this.#set(
      numbered(PAST, epoch.epoch),
      encodeEpoch(epoch, true),
    );
  }

  /** Forgets an old epoch. */
  deletePast(epoch: number): void {
    this.#delete(numbered(PAST, epoch));
  }

  /** Decisions of members. */
  acks(): readonly AckRow[] {
    return this.#values(ACK).map((value) => {
      const options = { maxDepth: 1, maxItems: 5 };
      const [id, epoch, member, signed] = read.items(value, 4, options);
      return {
        id: read.bytes(id!, 32).toHex(),
        epoch: read.unsigned(epoch!),
        member: new AgentId(read.bytes(member!, AGENT_ID_LENGTH)),
        signed: read.bytesUpTo(signed!, MAX_BYTES),
      };
    });
  }

  /** Keeps a decision. */
  addAck({ id, epoch, member, signed }: AckRow): void {
    const name = Uint8Array.fromHex(id);
    const key = concat(numbered(ACK, epoch), name, member.bytes);
    const row = encodeCbor([name, epoch, member.bytes, signed]);
    this.#set(key, row);
  }

  /** Forgets all decisions but the numbers of our own: nobody decides twice for one, on whatever branch. */
  deleteAllAcks(): void {
    this.#changes.push((store) => {
      for (const { key } of [...store.entries(ACK)]) store.delete(key);
    });
  }

  /** Forgets decisions about epochs up to a number, and our own. */
  deleteAcks(upTo: number): void {
    this.#changes.push((store) => {
      for (const prefix of [ACK, LOCK]) {
        for (const { key } of [...store.entries(prefix)]) {
          if (numberOf(key) <= upTo) store.delete(key);
        }
      }
    });
  }

  /** Our own decisions: names by number. */
  locks(): Map<number, string> {
    return new Map(
      [...this.#options.store.entries(LOCK)].map(({ key, value }) => [
        numberOf(key),
        value.toHex(),
      ]),
    );
  }

  /** Keeps a decision of our own. */
  setLock(epoch: number, id: string): void {
    const key = numbered(LOCK, epoch);
    this.#set(key, Uint8Array.fromHex(id));
  }

  /** What we want. */
  wishes(): readonly Wish[] {
    return this.#values(WISH).map(decodeWish);
  }

  /** Keeps a wish. */
  setWish(wish: Wish): void {
    const key = numbered(WISH, wish.sequence);
    this.#set(key, encodeWish(wish));
  }

  /** Forgets a wish. */
  deleteWish(sequence: number): void {
    this.#delete(numbered(WISH, sequence));
  }

  /** What we published in epochs that may lose yet, by id. */
  sent(): Map<string, SentRow> {
    return new Map(
      [...this.#options.store.entries(SENT)].map(({ key, value }) => {
        const options = { maxDepth: 1, maxItems: 3 };
        const [at, message] = read.items(value, 2, options);
        return [key.subarray(1).toHex(), {
          at: read.bytes(at!, 32).toHex(),
          message: read.bytesUpTo(message!, MAX_BYTES),
        }];
      }),
    );
  }

  /** Keeps what we published. */
  setSent(id: string, { at, message }: SentRow): void {
    const row = encodeCbor([Uint8Array.fromHex(at), message]);
    this.#set(concat(SENT, Uint8Array.fromHex(id)), row);
  }

  /** Forgets what we published. */
  deleteSent(id: string): void {
    this.#delete(concat(SENT, Uint8Array.fromHex(id)));
  }

  /** Whether a message of a member was read before. */
  isSeen(from: AgentId, id: Uint8Array): boolean {
    const key = concat(SEEN, from.bytes, id);
    return this.#options.store.get(key) !== undefined;
  }

  /** Remembers that a message was read. */
  setSeen(from: AgentId, id: Uint8Array, expiresAt: number): void {
    const key = concat(SEEN, from.bytes, id);
    this.#set(key, new Uint8Array(), { expiresAt });
  }

  /** What no handler has had, oldest first. */
  due(): readonly DueRow[] {
    return [...this.#options.store.entries(DUE)].map(({ key, value }) => {
      const options = { maxDepth: 1, maxItems: 4 };
      const [from, epoch, message] = read.items(value, 3, options);
      return {
        sequence: numberOf(key),
        from: new AgentId(read.bytes(from!, AGENT_ID_LENGTH)),
        epoch: read.unsigned(epoch!),
        message: read.bytesUpTo(message!, MAX_BYTES),
      };
    });
  }

  /** Keeps a message for its handler. */
  addDue({ sequence, from, epoch, message }: DueRow): void {
    const row = encodeCbor([from.bytes, epoch, message]);
    this.#set(numbered(DUE, sequence), row);
  }

  /** A handler is done with a message: that is written at once, and nothing else with it. */
  deleteDue(sequence: number): void {
    this.#options.store.delete(numbered(DUE, sequence));
  }

  /** The time of the Welcome by which the agent joined, as it says; 0 if there was none. */
  welcomedMs(): number {
    const bytes = this.#options.store.get(WELCOME);
    return bytes ? Number(new Reader(bytes, WHAT).u64()) : 0;
  }

  /** Keeps the time of the Welcome by which the agent joined. */
  setWelcomedMs(atMs: number): void {
    this.#set(WELCOME, new Writer(8).u64(BigInt(atMs)).finish());
  }

  /** Welcomes that the outbox does not have. */
  welcomes(): readonly WelcomeRow[] {
    return [...this.#options.store.entries(LETTING_IN)].map(
      ({ key, value }) => {
        const options = { maxDepth: 2, maxItems: MAX_ADDED + 3 };
        const [bytes, to] = read.items(value, 2, options);
        return {
          id: key.subarray(1).toHex(),
          bytes: read.bytesUpTo(bytes!, MAX_BYTES),
          to: read.array(to!, MAX_ADDED).map((each) =>
            new AgentId(read.bytes(each, AGENT_ID_LENGTH))
          ),
        };
      },
    );
  }

  /** Keeps a Welcome until the outbox has it. */
  addWelcome({ id, to, bytes }: WelcomeRow): void {
    const row = encodeCbor([bytes, to.map((each) => each.bytes)]);
    this.#set(concat(LETTING_IN, Uint8Array.fromHex(id)), row);
  }

  /** The outbox has a Welcome: that is written at once. */
  deleteWelcome(id: string): void {
    this.#options.store.delete(concat(LETTING_IN, Uint8Array.fromHex(id)));
  }

  /** Where our branch lost to one of which we are no member; `undefined` if that is not so. */
  out(): LostFork | undefined {
    const bytes = this.#options.store.get(OUT);
    if (!bytes) return undefined;
    const options = { maxDepth: 1, maxItems: 3 };
    const [number, ours] = read.items(bytes, 2, options);
    return {
      number: read.unsigned(number!),
      ours: read.bytes(ours!, 32).toHex(),
      isDecided: true,
    };
  }

  /** Keeps that. */
  setOut(lost: LostFork | undefined): void {
    if (!lost) return this.#delete(OUT);
    const { number, ours } = lost;
    this.#set(OUT, encodeCbor([number, Uint8Array.fromHex(ours)]));
  }

  #set(key: Uint8Array, value: Uint8Array, options?: SetOptions): void {
    this.#changes.push((store) => store.set(key, value, options));
  }

  #delete(key: Uint8Array): void {
    this.#changes.push((store) => void store.delete(key));
  }

  #values(prefix: Uint8Array): Bytes[] {
    return [...this.#options.store.entries(prefix)].map(({ value }) => value);
  }

  #epochOf(value: Uint8Array): NewEpoch<Held> & { readonly isFinal: boolean } {
    const { crypto, mls, group } = this.#options;
    return decodeEpoch(crypto, mls, group, value);
  }
}

function numbered(prefix: Uint8Array, number: number): Bytes {
  return new Writer(9).put(prefix).u64(BigInt(number)).finish();
}

function numberOf(key: Uint8Array): number {
  return Number(new Reader(key.subarray(1), WHAT).u64());
}
