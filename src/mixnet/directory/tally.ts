import { type Bytes, concat, encodeHex } from "../../core/bytes/mod.ts";
import { type BeaconSet, beaconSet } from "../beacon/beacon_set.ts";
import type { DocumentTrust } from "./document_trust.ts";
import type { Roll } from "./roll.ts";
import type { Vote } from "./vote.ts";

/** What the votes of an epoch agree on. */
export interface Tally {
  /** The list that enough authorities closed; `undefined` if there is none. */
  readonly descriptors: readonly Uint8Array[] | undefined;
  /** The components that enough authorities agree on; `undefined` if there is none. */
  readonly beacon: BeaconSet | undefined;
  /** The hash that more authorities name than may be wrong; else empty. */
  readonly previousHash: Bytes;
}

type Quorum = Pick<DocumentTrust, "authorities" | "threshold">;

const MAX_COMPONENTS = 16;

/** The descriptors in at least `threshold` rolls, ascending; `undefined` if there are fewer rolls. */
export function tallyRolls(
  rolls: readonly Roll[],
  { threshold }: Quorum,
): Uint8Array[] | undefined {
  if (rolls.length < threshold) return undefined;
  return counted(rolls.flatMap(({ descriptors }) => descriptors), threshold)
    .sort((a, b) => a.id < b.id ? -1 : 1).map(({ value }) => value);
}

/** What votes agree on; `undefined` if they are fewer than the threshold. */
export function tallyVotes(
  votes: readonly Vote[],
  { authorities, threshold }: Quorum,
): Tally | undefined {
  const [first] = votes;
  if (!first || votes.length < threshold) return undefined;
  const components = new Map(
    namesOf(votes).map((name) => {
      const values = votes.flatMap((vote) => vote.components.get(name) ?? []);
      return [name, counted(values, threshold)[0]?.value] as const;
    }),
  );
  const hasBeacon = [...components.values()].some((value) => value);
  const lists = votes.map(({ descriptors }) => concat(...descriptors));
  const list = counted(lists, threshold)[0];
  const hashes = votes.flatMap(({ previousHash }) =>
    previousHash.length > 0 ? [previousHash] : []
  );
  const enough = authorities.length - threshold + 1;
  return {
    descriptors: list && votes[list.index]!.descriptors,
    beacon: hasBeacon ? beaconSet(first.epoch, components) : undefined,
    previousHash: new Uint8Array(counted(hashes, enough)[0]?.value ?? []),
  };
}

interface Counted {
  readonly id: string;
  readonly value: Uint8Array;
  /** Of the first. */
  readonly index: number;
  count: number;
}

/** The values that come at least `least` times: those that come most first, and the lowest of as many. */
function counted(values: readonly Uint8Array[], least: number): Counted[] {
  const counts = new Map<string, Counted>();
  for (const [index, value] of values.entries()) {
    const id = encodeHex(value);
    const known = counts.get(id);
    if (known) known.count++;
    else counts.set(id, { id, value, index, count: 1 });
  }
  return [...counts.values()].filter(({ count }) => count >= least)
    .sort((a, b) => b.count - a.count || (a.id < b.id ? -1 : 1));
}

function namesOf(votes: readonly Vote[]): string[] {
  return [
    ...new Set(votes.flatMap(({ components }) => [...components.keys()])),
  ].sort().slice(0, MAX_COMPONENTS);
}
