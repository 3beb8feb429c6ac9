import {
  type Bytes,
  type CborDecoded,
  type CborValue,
  decodeBase64Url,
  decodeCbor,
  DecodeError,
  encodeBase64Url,
  encodeCbor,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { openSign1, sign1 } from "../cose/sign1.ts";
import { FabricError } from "../error.ts";
import { FieldReader } from "../field_reader.ts";
import type { Agent } from "./agent.ts";
import type { AgentId } from "./agent_id.ts";
import {
  type AgentName,
  formatAgentName,
  MAX_NAME_PART,
  parseAgentName,
} from "./agent_name.ts";

/** A node that may speak for an agent. */
export interface AgentNode {
  /** Its Noise static key (X25519), 32 bytes: a session with this key at the other end speaks for the agent. */
  readonly staticKey: Uint8Array;
  /** Its signed HTX peer record, at most 4,096 bytes; absent if it takes no sessions. */
  readonly htx?: Uint8Array;
}

/** What an agent says of itself. */
export interface AgentRecord {
  /** Who it is. */
  readonly id: AgentId;
  /** Its readable name, which is a claim. */
  readonly name: AgentName;
  /** What is for it alone is sealed to this key (X25519), 32 bytes. */
  readonly sealKey: Uint8Array;
  /** Nodes that may speak for it, best first: 0 to 4. */
  readonly nodes: readonly AgentNode[];
  /** What it can do, as message types or words of an application: 0 to 64 texts of 1 to 128 characters. */
  readonly capabilities: readonly string[];
  /** Of two records of one agent the higher counts. */
  readonly sequence: number;
  /** When it was made, in milliseconds since 1970-01-01 UTC. */
  readonly issuedMs: number;
  /** From when on it counts no more, in milliseconds since 1970-01-01 UTC. */
  readonly expiresMs: number;
}

/** Longest record in bytes. */
const MAX_AGENT_RECORD_BYTES = 24_576;

/** How far another's clock may be ahead. */
const MAX_SKEW_MS = 300_000;
const MAX_NODES = 4;
const MAX_HTX_BYTES = 4_096;
const MAX_CAPABILITIES = 64;
const MAX_CAPABILITY = 128;
const TEXT_PREFIX = "betanet-agent:";
const WHAT = "agent record";
const read = new FieldReader(WHAT);
const KEY = {
  name: 1,
  sealKey: 2,
  nodes: 3,
  capabilities: 4,
  sequence: 5,
  issued: 6,
  expires: 7,
} as const;

/**
 * Signs what `agent` says of itself, as COSE_Sign1.
 *
 * ```text
 * payload   CBOR map; unknown keys above 7 are ignored
 *   1  name, text: agent@node
 *   2  seal key, 32 B
 *   3  array of nodes, each [32B static key] or [32B static key, signed HTX peer record]
 *   4  array of capabilities, text
 *   5  sequence, unsigned
 *   6  issued, milliseconds since 1970-01-01 UTC
 *   7  expires, the same
 * ```
 *
 * @throws {RangeError} If a field is out of range.
 */
export function signAgentRecord(
  agent: Agent,
  fields: Pick<
    AgentRecord,
    "nodes" | "capabilities" | "sequence" | "issuedMs" | "expiresMs"
  >,
): Bytes {
  const payload = encodeCbor(
    new Map<number, CborValue>([
      [KEY.name, formatAgentName(agent.name)],
      [KEY.sealKey, agent.sealKeyPair.publicKey],
      [
        KEY.nodes,
        fields.nodes.map(({ staticKey, htx }) =>
          htx ? [staticKey, htx] : [staticKey]
        ),
      ],
      [KEY.capabilities, [...fields.capabilities]],
      [KEY.sequence, fields.sequence],
      [KEY.issued, fields.issuedMs],
      [KEY.expires, fields.expiresMs],
    ]),
  );
  try {
    decodePayload(agent.id, payload);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new RangeError(cause.message, { cause });
  }
  return sign1(agent, "betanet-fabric-record-v1", payload);
}

/**
 * Verifies and decodes a record; what it gives keeps nothing of `bytes`.
 *
 * @param nowMs - Wall time, in milliseconds since 1970-01-01 UTC.
 * @throws {DecodeError} If it is malformed.
 * @throws {FabricError} `unauthenticated` if the signature does not verify; `expired` if it is no longer valid, or from more than
 *   five minutes ahead.
 */
export function verifyAgentRecord(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  nowMs: number,
): AgentRecord {
  if (bytes.length > MAX_AGENT_RECORD_BYTES) {
    throw read.malformed(`want at most ${MAX_AGENT_RECORD_BYTES} bytes`);
  }
  const purpose = "betanet-fabric-record-v1";
  const { signer, payload } = openSign1(crypto, purpose, bytes);
  const record = decodePayload(signer, payload);
  if (record.expiresMs <= nowMs || record.issuedMs > nowMs + MAX_SKEW_MS) {
    throw new FabricError("expired", "The agent's record is not valid now");
  }
  return record;
}

/** Writes a signed record as text, for command lines and files: `betanet-agent:` and base64url. */
export function formatAgentRecord(bytes: Uint8Array): string {
  return TEXT_PREFIX + encodeBase64Url(bytes);
}

/**
 * The signed record that `text` writes, white space around it ignored; not yet verified.
 *
 * @throws {DecodeError} If it is not of the text form.
 */
export function parseAgentRecord(text: string): Bytes {
  const trimmed = text.trim();
  if (!trimmed.startsWith(TEXT_PREFIX)) {
    throw read.malformed(`want ${TEXT_PREFIX} and base64url`);
  }
  return decodeBase64Url(trimmed.slice(TEXT_PREFIX.length));
}

function decodePayload(id: AgentId, payload: Uint8Array): AgentRecord {
  const map = decodeCbor(payload, { maxDepth: 4, maxItems: 256 }, WHAT);
  if (!(map instanceof Map)) throw read.malformed("want a map");
  for (const key of map.keys()) {
    if (typeof key !== "number" || key < 1) throw read.malformed("bad key");
  }
  return {
    id,
    name: nameOf(map.get(KEY.name)),
    sealKey: read.bytes(map.get(KEY.sealKey), 32),
    nodes: read.array(map.get(KEY.nodes), MAX_NODES).map(nodeOf),
    capabilities: read.array(map.get(KEY.capabilities), MAX_CAPABILITIES)
      .map((each) => read.text(each, MAX_CAPABILITY, 1)),
    sequence: read.unsigned(map.get(KEY.sequence)),
    issuedMs: read.unsigned(map.get(KEY.issued)),
    expiresMs: read.unsigned(map.get(KEY.expires)),
  };
}

function nameOf(value: CborDecoded): AgentName {
  try {
    return parseAgentName(read.text(value, 2 * MAX_NAME_PART + 1));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw read.malformed("want a name agent@node");
  }
}

function nodeOf(value: CborDecoded): AgentNode {
  const [staticKey, htx] = read.array(value, 2, 1);
  return {
    staticKey: read.bytes(staticKey, 32),
    ...htx !== undefined && { htx: read.bytesUpTo(htx, MAX_HTX_BYTES, 1) },
  };
}
