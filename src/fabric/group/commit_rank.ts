import { type Bytes, utf8, Writer } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { AgentId } from "../identity/agent_id.ts";

/** What decides between commits that were made for one epoch. */
export interface CommitRank {
  /** Whether an admin made it. */
  readonly isAdmin: boolean;
  /** The committer's turn in the epoch, 32 bytes, as {@link turnOf} gives it. */
  readonly turn: Bytes;
  /** The name of the epoch that it begins, 32 bytes, as {@link epochIdOf} gives it. */
  readonly id: Bytes;
}

const TURN = utf8("betanet-fabric-turn");
const EPOCH = utf8("betanet-fabric-epoch");
const FOUNDING = utf8("betanet-fabric-founding");

/** Bytes of the name of an epoch. */
export const EPOCH_ID_LENGTH = 32;

/**
 * The turn of an agent in an epoch, 32 bytes: the lowest is first.
 *
 * ```text
 * SHA-256("betanet-fabric-turn" ‖ group id ‖ u64 epoch ‖ 32B agent)
 * ```
 *
 * Nobody can choose it: the group's id and the agent's key were there before the epoch was.
 */
export function turnOf(
  crypto: CryptoProvider,
  group: Uint8Array,
  epoch: number,
  agent: AgentId,
): Bytes {
  const parts = new Writer(TURN.length + group.length + 40).put(TURN)
    .put(group).u64(BigInt(epoch)).put(agent.bytes);
  return crypto.hash("sha256", parts.finish());
}

/** The name of the first epoch of a group, 32 bytes. */
export function foundingIdOf(crypto: CryptoProvider, group: Uint8Array): Bytes {
  const parts = new Writer(FOUNDING.length + group.length).put(FOUNDING)
    .put(group);
  return crypto.hash("sha256", parts.finish());
}

/**
 * The name of the epoch that `commit` begins behind the epoch `parent`, 32 bytes: whoever knows the commits knows the names, and
 * epochs of one name have one state.
 *
 * ```text
 * SHA-256("betanet-fabric-epoch" ‖ 32B parent ‖ commit)
 * ```
 */
export function epochIdOf(
  crypto: CryptoProvider,
  parent: Uint8Array,
  commit: Uint8Array,
): Bytes {
  const parts = new Writer(EPOCH.length + parent.length + commit.length)
    .put(EPOCH).put(parent).put(commit);
  return crypto.hash("sha256", parts.finish());
}

/** Below 0 if `a` goes before `b`: admins first, then whose turn it is, then, between commits of one committer, the lower name. */
export function compareCommits(a: CommitRank, b: CommitRank): number {
  if (a.isAdmin !== b.isAdmin) return a.isAdmin ? -1 : 1;
  return compareBytes(a.turn, b.turn) || compareBytes(a.id, b.id);
}

/** Below 0 if `a` goes before `b`, byte by byte. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
