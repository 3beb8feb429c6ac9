import { type Bytes, concat, encodeCbor } from "../../core/bytes/mod.ts";
import { Secret } from "../../core/crypto/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { FabricError } from "../error.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";
import { GROUP_ID_LENGTH } from "./group_message.ts";
import type { MadeKeyPackage } from "./mls/group_crypto.ts";

/** An invitation that is neither accepted nor declined. */
export interface WaitingInvitation {
  /** The group, 32 bytes. */
  readonly group: Bytes;
  /** Who invited. */
  readonly from: AgentId;
  /** What it said that the rules are, encoded. */
  readonly rules: Bytes;
}

/** An invitation that was accepted. */
export interface AcceptedInvitation {
  /** The group, 32 bytes. */
  readonly group: Bytes;
  /** Who invited. */
  readonly from: AgentId;
  /** What was sent to it. */
  readonly keyPackage: Bytes;
  /** What belongs to it. */
  readonly secret: Bytes;
}

const [ACCEPTED, INVITED, EARLY, WAITING] = [..."aiew"].map((letter) =>
  Uint8Array.of(letter.charCodeAt(0))
) as [Bytes, Bytes, Bytes, Bytes];
const MAX_ACCEPTED = 256;
const MAX_WAITING = 256;
const MAX_WAITING_OF_AGENT = 16;
const MAX_INVITED = 4_096;
const MAX_EARLY = 256;
const MAX_EARLY_OF_AGENT = 32;
const MAX_EARLY_BYTES = 8 * 1024 * 1024;
const MAX_BYTES = 2 * 1024 * 1024;
const EARLY_MS = 86_400_000;
const read = new FieldReader("row of an invitation");

/** Who was invited, who invited, and what came before the Welcome; all of it for a time. */
export class JoiningRows {
  readonly #store: Store;

  /** Has `store` for itself. */
  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * We invited an agent.
   *
   * @throws {FabricError} `full`.
   */
  invite(group: Uint8Array, agent: AgentId, expiresAt: number): void {
    this.#bound(INVITED, MAX_INVITED);
    const key = concat(INVITED, group, agent.bytes);
    this.#store.set(key, new Uint8Array(), { expiresAt });
  }

  /** Whether we invited an agent. */
  isInvited(group: Uint8Array, agent: AgentId): boolean {
    return this.#store.get(concat(INVITED, group, agent.bytes)) !== undefined;
  }

  /** The agent has answered. */
  uninvite(group: Uint8Array, agent: AgentId): void {
    this.#store.delete(concat(INVITED, group, agent.bytes));
  }

  /**
   * Lets an invitation wait to be accepted or declined; a later one of the same agent to the same group takes its place.
   *
   * @throws {FabricError} `full` if too many do, or too many of the agent.
   */
  hold({ group, from, rules }: WaitingInvitation, expiresAt: number): void {
    const key = concat(WAITING, group, from.bytes);
    if (!this.#store.get(key)) {
      this.#bound(WAITING, MAX_WAITING);
      const ofAgent = this.held().filter((each) => each.from.equals(from));
      if (ofAgent.length >= MAX_WAITING_OF_AGENT) throw tooMany();
    }
    this.#store.set(key, rules, { expiresAt });
  }

  /** Invitations that wait. */
  held(): readonly WaitingInvitation[] {
    return [...this.#store.entries(WAITING)].map(({ key, value }) => {
      const end = 1 + GROUP_ID_LENGTH;
      const from = new AgentId(key.slice(end));
      return { group: key.slice(1, end), from, rules: value };
    });
  }

  /** An agent's invitation to a group waits no more. */
  release(group: Uint8Array, from: AgentId): void {
    this.#store.delete(concat(WAITING, group, from.bytes));
  }

  /**
   * We accepted an invitation; a later one of the same agent to the same group takes its place.
   *
   * @throws {FabricError} `full`.
   */
  accept(
    { group, from, keyPackage, secret }: AcceptedInvitation,
    expiresAt: number,
  ): void {
    this.#bound(ACCEPTED, MAX_ACCEPTED);
    const row = encodeCbor([keyPackage, secret]);
    const key = concat(ACCEPTED, group, from.bytes);
    this.#store.set(key, row, { expiresAt });
  }

  /** The key package that we sent to an agent for a group; dispose it. */
  accepted(
    group: Uint8Array,
    from: AgentId,
  ): MadeKeyPackage & Disposable | undefined {
    const row = this.#store.get(concat(ACCEPTED, group, from.bytes));
    if (!row) return undefined;
    const options = { maxDepth: 1, maxItems: 3 };
    const [keyPackage, bytes] = read.items(row, 2, options);
    const secret = new Secret(read.bytesUpTo(bytes!, MAX_BYTES));
    return {
      keyPackage: read.bytesUpTo(keyPackage!, MAX_BYTES),
      secret,
      [Symbol.dispose]: () => secret[Symbol.dispose](),
    };
  }

  /** Lets a message wait for the Welcome; `false` if none is to come, or there is no room. */
  wait(
    group: Uint8Array,
    from: AgentId,
    bytes: Uint8Array,
    nowMs: number,
  ): boolean {
    const accepted = this.#store.entries(concat(ACCEPTED, group));
    if (accepted.next().done) return false;
    const prefix = concat(EARLY, group);
    const rows = [...this.#store.entries(prefix)];
    const ofAgent = rows.filter(({ value }) =>
      earlyOf(value).from.equals(from)
    );
    const size = rows.reduce((sum, { value }) => sum + value.length, 0);
    if (
      rows.length >= MAX_EARLY || ofAgent.length >= MAX_EARLY_OF_AGENT ||
      bytes.length > MAX_BYTES || size + bytes.length > MAX_EARLY_BYTES
    ) return false;
    const last = rows.at(-1)?.key.subarray(prefix.length);
    const next = last ? 1 + (last[0]! << 8 | last[1]!) : 0;
    if (next > 0xffff) return false;
    const key = concat(prefix, Uint8Array.of(next >> 8, next & 255));
    const row = encodeCbor([from.bytes, bytes]);
    this.#store.set(key, row, { expiresAt: nowMs + EARLY_MS });
    return true;
  }

  /** What waited for the Welcome, which is here. */
  take(
    group: Uint8Array,
  ): readonly { readonly from: AgentId; readonly bytes: Bytes }[] {
    const rows = [...this.#store.entries(concat(EARLY, group))];
    for (const { key } of rows) this.#store.delete(key);
    return rows.map(({ value }) => earlyOf(value));
  }

  #bound(prefix: Uint8Array, max: number): void {
    if ([...this.#store.entries(prefix)].length < max) return;
    throw tooMany();
  }
}

function earlyOf(
  value: Uint8Array,
): { readonly from: AgentId; readonly bytes: Bytes } {
  const [from, bytes] = read.items(value, 2, { maxDepth: 1, maxItems: 3 });
  return {
    from: new AgentId(read.bytes(from!, AGENT_ID_LENGTH)),
    bytes: read.bytesUpTo(bytes!, MAX_BYTES),
  };
}

function tooMany(): FabricError {
  return new FabricError("full", "There are too many invitations");
}
