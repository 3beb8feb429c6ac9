import { type Bytes, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type BeaconFetch, fetchJson } from "./beacon_fetch.ts";
import {
  beaconSeconds,
  type BeaconSource,
  componentOf,
} from "./beacon_source.ts";
import { BeaconError } from "./error.ts";
import { hexOf, malformed, objectOf, textOf } from "./json_fields.ts";

/** Options of {@link ethereumBeacon}. */
export interface EthereumBeaconOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Does the requests. */
  readonly beaconFetch: BeaconFetch;
  /** A JSON-RPC endpoint of an execution node of the main network. It is trusted: run one. */
  readonly url: string;
  /** Length of an epoch. */
  readonly epochSeconds: number;
}

/** What counts of a block. */
interface Block {
  readonly number: number;
  readonly seconds: number;
  readonly hash: Bytes;
  readonly parentHash: Bytes;
}

const NAME = "eth";
/** Blocks come in slots of this length since the merge. */
const SLOT_SECONDS = 12;
const MERGE_SECONDS = 1_663_224_179;
/** A block comes with the hashes of its transactions. */
const MAX_BYTES = 1 << 20;

/**
 * The component `eth`: the hash of the last block until `beaconSeconds`, once the block behind it is finalized.
 *
 * It is looked for by halving, one request a step. What is checked is that the blocks lie in order, and that the one behind
 * names the one found as its parent; that the endpoint's chain is Ethereum's is not.
 */
export function ethereumBeacon(
  { crypto, beaconFetch, url, epochSeconds }: EthereumBeaconOptions,
): BeaconSource {
  return {
    name: NAME,
    async value(epoch, signal) {
      const seconds = beaconSeconds(epoch, epochSeconds);
      if (seconds < MERGE_SECONDS) return undefined;
      const get = (tag: "finalized" | number) =>
        block(beaconFetch, url, tag, signal);
      const finalized = await get("finalized");
      if (finalized.seconds <= seconds) return undefined;
      const found = await lastUntil(seconds, finalized, get);
      return componentOf(crypto, NAME, found.hash);
    },
  };
}

/** The last block until `seconds`; `after` is one behind it. */
async function lastUntil(
  seconds: number,
  after: Block,
  get: (number: number) => Promise<Block>,
): Promise<Block> {
  const slots = Math.ceil((after.seconds - seconds) / SLOT_SECONDS);
  if (slots > after.number) malformed("A chain that is too short");
  let low = await get(after.number - slots);
  let high = after;
  if (low.seconds > seconds) malformed("Blocks closer than slots");
  while (high.number - low.number > 1) {
    const middle = await get(Math.floor((low.number + high.number) / 2));
    if (middle.seconds <= low.seconds || middle.seconds >= high.seconds) {
      malformed("Blocks out of order");
    }
    if (middle.seconds <= seconds) low = middle;
    else high = middle;
  }
  if (!equal(high.parentHash, low.hash)) {
    throw new BeaconError(
      "unverified",
      "A block is not its successor's parent",
    );
  }
  return low;
}

async function block(
  beaconFetch: BeaconFetch,
  url: string,
  tag: "finalized" | number,
  signal: AbortSignal,
): Promise<Block> {
  const params = [
    typeof tag === "number" ? `0x${tag.toString(16)}` : tag,
    false,
  ];
  const answer = objectOf(
    await fetchJson(beaconFetch, {
      url,
      body: JSON.stringify({
        ...{ jsonrpc: "2.0", id: 1 },
        ...{ method: "eth_getBlockByNumber", params },
      }),
      maxBytes: MAX_BYTES,
    }, signal),
  );
  if (answer.error !== undefined) {
    throw new BeaconError("refused", "Answered with an error of JSON-RPC");
  }
  const fields = objectOf(answer.result);
  const number = quantity(fields.number);
  if (typeof tag === "number" && number !== tag) malformed("Another block");
  return {
    number,
    seconds: quantity(fields.timestamp),
    hash: hash(fields.hash),
    parentHash: hash(fields.parentHash),
  };
}

/** A number as JSON-RPC of Ethereum writes it. */
function quantity(value: unknown): number {
  const text = textOf(value);
  const number = /^0x[0-9a-f]{1,13}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : malformed("Want a quantity");
}

function hash(value: unknown): Bytes {
  const text = textOf(value);
  return text.startsWith("0x")
    ? hexOf(text.slice(2), 32)
    : malformed("Want a hash");
}
