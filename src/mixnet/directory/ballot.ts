import { type Bytes, encodeHex, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type BeaconSet, beaconSet } from "../beacon/beacon_set.ts";
import type { DocumentTrust } from "./directory_document.ts";
import { DirectoryError } from "./error.ts";
import { verifyVote, type Vote } from "./vote.ts";

/** What the votes of an epoch agree on. */
export interface Tally {
  /** Hashes, in hexadecimal, of the descriptors that enough authorities hold. */
  readonly descriptors: readonly string[];
  /** The components that enough authorities agree on; `undefined` if there is none. */
  readonly beacon: BeaconSet | undefined;
  /** The hash that enough authorities name; else empty. */
  readonly previousHash: Bytes;
}

interface Cast {
  readonly vote: Vote;
  readonly bytes: Bytes;
  /** Another vote of the same authority, which with the first convicts it. */
  second?: Bytes;
}

/** The votes of one epoch. An authority that signed two has none. */
export class Ballot {
  readonly #crypto: CryptoProvider;
  readonly #epoch: number;
  readonly #trust: DocumentTrust;
  readonly #cast = new Map<string, Cast>();

  /** Begins without votes. */
  constructor(crypto: CryptoProvider, epoch: number, trust: DocumentTrust) {
    this.#crypto = crypto;
    this.#epoch = epoch;
    this.#trust = trust;
  }

  /**
   * Takes a signed vote, and a second one of an authority as evidence; more are ignored.
   *
   * @throws {DirectoryError} As `verifyVote`; `not_admitted` if no authority signed it, `wrong_network`, or `malformed` if it is for
   * another epoch.
   */
  add(bytes: Uint8Array): void {
    if (this.votes.some((known) => equal(known, bytes))) return;
    const vote = verifyVote(this.#crypto, bytes);
    const { authorities, network } = this.#trust;
    if (!authorities.some((key) => equal(key, vote.authority))) {
      throw new DirectoryError("not_admitted", "A vote of no authority");
    }
    if (vote.network !== network) {
      throw new DirectoryError("wrong_network", "A vote of another network");
    }
    if (vote.epoch !== this.#epoch) {
      throw new DirectoryError("malformed", "A vote for another epoch");
    }
    const id = encodeHex(vote.authority);
    const first = this.#cast.get(id);
    if (first) first.second ??= bytes.slice();
    else this.#cast.set(id, { vote, bytes: bytes.slice() });
  }

  /** All votes, signed, with those that convict: for other authorities. */
  get votes(): readonly Bytes[] {
    return [...this.#cast.values()].flatMap(({ bytes, second }) =>
      second ? [bytes, second] : [bytes]
    );
  }

  /** The two votes of each authority that signed two, by its key in hexadecimal. */
  get equivocations(): ReadonlyMap<string, readonly [Bytes, Bytes]> {
    return new Map(
      [...this.#cast].flatMap(([id, { bytes, second }]) =>
        second ? [[id, [bytes, second]]] : []
      ),
    );
  }

  /** What the votes that count agree on; `undefined` if they are fewer than the threshold. */
  tally(): Tally | undefined {
    const { threshold } = this.#trust;
    const votes = [...this.#cast.values()].filter(({ second }) => !second)
      .map(({ vote }) => vote);
    if (votes.length < threshold) return undefined;
    const agreed = (values: readonly Uint8Array[]) =>
      agreedOf(values, threshold);
    const components = new Map<string, Uint8Array | undefined>();
    for (const name of namesOf(votes)) {
      const values = votes.flatMap(({ components }) =>
        components.get(name) ?? []
      );
      components.set(name, agreed(values)[0]);
    }
    const hasBeacon = [...components.values()].some((value) => value);
    return {
      descriptors: agreed(votes.flatMap(({ descriptors }) => descriptors))
        .map((hash) => encodeHex(hash)),
      beacon: hasBeacon ? beaconSet(this.#epoch, components) : undefined,
      previousHash: new Uint8Array(
        agreed(votes.map(({ previousHash }) => previousHash))[0] ?? [],
      ),
    };
  }
}

/** The values that come at least `threshold` times, ascending. */
function agreedOf(
  values: readonly Uint8Array[],
  threshold: number,
): Uint8Array[] {
  const counts = new Map<string, number>();
  for (const value of values) {
    const text = encodeHex(value);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= threshold)
    .map(([text]) => text).sort().map((text) => Uint8Array.fromHex(text));
}

function namesOf(votes: readonly Vote[]): string[] {
  return [
    ...new Set(votes.flatMap(({ components }) => [...components.keys()])),
  ].sort().slice(0, 16);
}
