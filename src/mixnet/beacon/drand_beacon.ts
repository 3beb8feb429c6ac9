import { type Bytes, concat, equal, Writer } from "../../core/bytes/mod.ts";
import { type CryptoProvider, verifyBls } from "../../core/crypto/mod.ts";
import { type BeaconFetch, fetchJson } from "./beacon_fetch.ts";
import {
  beaconSeconds,
  type BeaconSource,
  componentOf,
} from "./beacon_source.ts";
import { BeaconError } from "./error.ts";
import { hexOf, malformed, numberOf, objectOf } from "./json_fields.ts";

/** A network of drand, as its `/info` describes it. */
export interface DrandChain {
  /** Its hash in hexadecimal, by which its servers know it. */
  readonly hash: string;
  /** Its group's key: 48 bytes of a chained one, 96 of the other. */
  readonly publicKey: Uint8Array;
  /** What a round signs: the signature before and its number, or its number alone. */
  readonly scheme: "pedersen-bls-chained" | "bls-unchained-g1-rfc9380";
  /** When round 1 came, in seconds since 1970. */
  readonly genesisSeconds: number;
  /** Between two rounds. */
  readonly periodSeconds: number;
}

/** The `default` network of the League of Entropy. */
export const DRAND_DEFAULT: DrandChain = {
  hash: "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce",
  publicKey: Uint8Array.fromHex(
    "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a5699" +
      "37c529eeda66c7293784a9402801af31",
  ),
  scheme: "pedersen-bls-chained",
  genesisSeconds: 1_595_431_050,
  periodSeconds: 30,
};

/** Options of {@link drandBeacon}. */
export interface DrandBeaconOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Does the requests. */
  readonly beaconFetch: BeaconFetch;
  /** A server's address, such as `https://api.drand.sh`. */
  readonly url: string;
  /** Length of an epoch. */
  readonly epochSeconds: number;
  /** {@link DRAND_DEFAULT} by default. */
  readonly chain?: DrandChain;
}

const NAME = "drand";
const MAX_BYTES = 4_096;

/**
 * The component `drand`: the randomness of the last round until `beaconSeconds`, from a server's HTTP interface.
 *
 * The server need not be trusted: a round's randomness is the hash of the group's signature, which is verified.
 */
export function drandBeacon(
  { crypto, beaconFetch, url, epochSeconds, chain = DRAND_DEFAULT }:
    DrandBeaconOptions,
): BeaconSource {
  return {
    name: NAME,
    async value(epoch, signal) {
      const age = beaconSeconds(epoch, epochSeconds) - chain.genesisSeconds;
      if (age < 0) return undefined;
      const round = Math.floor(age / chain.periodSeconds) + 1;
      const answer = await fetchJson(beaconFetch, {
        url: `${url}/${chain.hash}/public/${round}`,
        maxBytes: MAX_BYTES,
      }, signal);
      return answer === undefined ? undefined : componentOf(
        crypto,
        NAME,
        await randomnessOf(crypto, chain, round, answer),
      );
    },
  };
}

async function randomnessOf(
  crypto: CryptoProvider,
  chain: DrandChain,
  round: number,
  answer: unknown,
): Promise<Bytes> {
  const fields = objectOf(answer);
  if (numberOf(fields.round) !== round) malformed("Another round");
  const isChained = chain.scheme === "pedersen-bls-chained";
  const signature = hexOf(fields.signature, isChained ? 96 : 48);
  const randomness = crypto.hash("sha256", signature);
  if (!equal(hexOf(fields.randomness, 32), randomness)) {
    throw new BeaconError(
      "unverified",
      "The randomness is not the signature's hash",
    );
  }
  const number = new Writer().u64(BigInt(round)).finish();
  const signed = isChained
    ? concat(hexOf(fields.previous_signature, 32, 96), number)
    : number;
  const message = crypto.hash("sha256", signed);
  const group = isChained ? "G2" : "G1";
  if (!await verifyBls(group, chain.publicKey, message, signature)) {
    throw new BeaconError("unverified", "The signature is not the group's");
  }
  return randomness;
}
