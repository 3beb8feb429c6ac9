import type { Bytes } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Agent } from "../identity/agent.ts";
import type { BranchLimits } from "./group_branches.ts";
import type { EvidenceLog } from "./group_evidence.ts";
import type { GroupRows } from "./group_rows.ts";
import type { GroupTimes } from "./group_times.ts";
import type { GroupCrypto } from "./mls/group_crypto.ts";

/** Parts of a {@link GroupSession}. */
export interface GroupSessionOptions {
  /** Whose part it is. */
  readonly agent: Agent;
  /** Hashes, signatures, ids. */
  readonly crypto: CryptoProvider;
  /** Keys of the group. */
  readonly mls: GroupCrypto;
  /** Where it is stored. */
  readonly rows: GroupRows;
  /** Where evidence is. */
  readonly evidence: EvidenceLog;
  /** The group, 32 bytes. */
  readonly group: Bytes;
  /** Limits of what is kept. */
  readonly branches?: BranchLimits;
  /** Pauses. */
  readonly times?: GroupTimes;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}
