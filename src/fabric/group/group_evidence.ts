import {
  type Bytes,
  decodeBase64Url,
  encodeBase64Url,
  encodeCbor,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { FieldReader } from "../field_reader.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";
import { decodeGroupMessage } from "./group_message.ts";

/** What a member did that it should not have done, by its number where it is kept. */
export const EVIDENCE_KINDS = [
  "equivocation", // two commits of one committer for one epoch
  "double_ack", // it decided for two epochs of one number
  "double_ballot", // two ballots for one proposal
  "forbidden", // a commit that breaks the rules of the group
  "late", // a commit for an epoch that the members have decided about, or that is older than what is kept
  "fork", // the first commit of a branch that split from ours before what is kept
] as const;

/** One of {@link EVIDENCE_KINDS}. */
export type EvidenceKind = typeof EVIDENCE_KINDS[number];

/** What shows that a member did it: bytes that it signed. */
export interface Evidence {
  /** What it did. */
  readonly kind: EvidenceKind;
  /** Who. */
  readonly agent: AgentId;
  /** When we saw it, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
  /** What it signed: two messages for equivocation, one else. */
  readonly proofs: readonly Bytes[];
}

/** Most pieces of evidence of a group, and of one agent in it. */
const EVIDENCE_LIMITS = { maxEntries: 256, maxOfAgent: 16 } as const;

/** Most pieces of what a member may have done without knowing better, so that they take no room from the others. */
const INNOCENT_LIMITS = { maxEntries: 64, maxOfAgent: 4 } as const;
const INNOCENT: ReadonlySet<EvidenceKind> = new Set(["late", "fork"]);

const MAX_PROOF_BYTES = 1024 * 1024;
const TEXT_PREFIX = "betanet-evidence:";
const read = new FieldReader("evidence");

/** Evidence of one group, kept for good; what is beyond the limits is counted and not kept, so that nobody can push out what is. */
export class EvidenceLog {
  /** Evidence for which there was no room. */
  full = 0;
  readonly #store: Store;
  readonly #crypto: CryptoProvider;
  readonly #entries = new Map<string, Evidence>();

  /** Reads what `store` holds, which it has for itself. */
  constructor(crypto: CryptoProvider, store: Store) {
    this.#crypto = crypto;
    this.#store = store;
    for (const { key, value } of store.entries()) {
      this.#entries.set(key.toHex(), decodeEvidence(value));
    }
  }

  /** What is kept. */
  get entries(): readonly Evidence[] {
    return [...this.#entries.values()];
  }

  /** Keeps a piece of evidence; `false` if it is here, or there is no room. */
  add(evidence: Evidence): boolean {
    const { kind, agent, proofs } = evidence;
    const named = encodeCbor([
      EVIDENCE_KINDS.indexOf(kind),
      ...[...proofs].sort((a, b) => a.toHex() < b.toHex() ? -1 : 1),
    ]);
    const key = this.#crypto.hash("sha256", named);
    if (this.#entries.has(key.toHex())) return false;
    const isInnocent = INNOCENT.has(kind);
    const same = this.entries.filter((each) =>
      INNOCENT.has(each.kind) === isInnocent
    );
    const ofAgent = same.filter((each) => each.agent.equals(agent));
    const limits = isInnocent ? INNOCENT_LIMITS : EVIDENCE_LIMITS;
    if (
      same.length >= limits.maxEntries || ofAgent.length >= limits.maxOfAgent
    ) {
      this.full++;
      return false;
    }
    this.#store.set(key, encodeEvidence(evidence));
    this.#entries.set(key.toHex(), evidence);
    return true;
  }
}

/** As bytes, to be shown to others. */
export function encodeEvidence({ kind, agent, atMs, proofs }: Evidence): Bytes {
  return encodeCbor([
    ...[EVIDENCE_KINDS.indexOf(kind), agent.bytes, atMs],
    [...proofs],
  ]);
}

/**
 * What {@link encodeEvidence} gave; nothing of it is verified.
 *
 * @throws {DecodeError} If it is malformed.
 */
export function decodeEvidence(bytes: Uint8Array): Evidence {
  const [kind, agent, atMs, proofs] = read.items(bytes, 4, {
    maxDepth: 2,
    maxItems: 8,
  });
  return {
    kind: read.name(kind!, EVIDENCE_KINDS),
    agent: new AgentId(read.bytes(agent!, AGENT_ID_LENGTH)),
    atMs: read.unsigned(atMs!),
    proofs: read.array(proofs!, 2, 1).map((each) =>
      read.bytesUpTo(each, MAX_PROOF_BYTES)
    ),
  };
}

/** Evidence as text, for command lines and files: `betanet-evidence:` and {@link encodeEvidence} in base64url. */
export function formatEvidence(evidence: Evidence): string {
  return TEXT_PREFIX + encodeBase64Url(encodeEvidence(evidence));
}

/**
 * The evidence that `text` writes, white space around it ignored; nothing of it is verified.
 *
 * @throws {DecodeError} If it is not of the text form, or malformed.
 */
export function parseEvidence(text: string): Evidence {
  const trimmed = text.trim();
  if (!trimmed.startsWith(TEXT_PREFIX)) {
    throw read.malformed(`want ${TEXT_PREFIX} and base64url`);
  }
  return decodeEvidence(decodeBase64Url(trimmed.slice(TEXT_PREFIX.length)));
}

/**
 * Whether evidence of equivocation shows by itself that its agent signed two different commits for one epoch: anybody can check it,
 * members or not.
 *
 * @throws {DecodeError} If a proof is malformed.
 * @throws {FabricError} `unauthenticated` if one is not signed.
 */
export function isEquivocation(
  crypto: CryptoProvider,
  { kind, agent, proofs }: Evidence,
): boolean {
  if (kind !== "equivocation" || proofs.length !== 2) return false;
  const [a, b] = proofs.map((each) => decodeGroupMessage(crypto, each));
  return [a!, b!].every(({ kind, signer }) =>
    kind === "commit" && signer !== undefined && signer.equals(agent)
  ) && a!.group.toHex() === b!.group.toHex() &&
    a!.at.toHex() === b!.at.toHex() && a!.body.toHex() !== b!.body.toHex();
}
