/** Why a node did not keep a bundle, or not any more. */
export const NODE_DROPS = [
  "malformed", // it does not decode, or an extension block that we need does not
  "unprocessable", // a block that we do not know says that the bundle is to be deleted
  "security_missing", // the security policy wants it signed or encrypted, and it is not
  "security_unknown", // it is secured in a way that we do not know
  "security_failed", // what secures it is not right, or there is no key for it
  "unprotected", // it was made here and cannot be secured as the policy says
  "hop_limit", // it had as many hops as it may
  "expired", // its lifetime is over
  "known", // it is here, or was
  "fragment_conflict", // a fragment that says other bytes than one before it
  "too_many_fragments", // its bundle comes in more fragments than we put together
  "too_large", // longer than any bundle may be
  "full", // the store is full, or the share of its class
  "evicted", // it gave way to bundles of higher classes
  "plaintext", // it may not leave unencrypted, and is given back to nobody: counted each time that it was not sent
  "not_private", // it wants strict privacy, and no contact with the neighbour is private: it waits for one, counted as above
  "too_large_for_peer", // the neighbour takes no bundle of its size, and it must not be fragmented, or cannot be: counted as above
  "routing", // a message between routers that is malformed
  "routing_full", // one of our router for which there was no room beside what is under way
] as const;

/** One of {@link NODE_DROPS}. */
export type NodeDrop = typeof NODE_DROPS[number];

/** What a node did so far. */
export interface NodeCounts {
  /** Bundles made here, reports and those of routers among them. */
  readonly created: number;
  /** Bundles that came whole from neighbours. */
  readonly received: number;
  /** Of these and those made here, stored. */
  readonly stored: number;
  /** Bundles that neighbours have acknowledged, or were handed over. */
  readonly forwarded: number;
  /** Bundles that neighbours have refused. */
  readonly refused: number;
  /** Fragments that neighbours have acknowledged, or were handed over. */
  readonly fragments: number;
  /** Bundles whose outcome is unknown, as the contact ended. */
  readonly unknown: number;
  /** Contacts that were closed, as bundles under way had no outcome for too long. */
  readonly silent: number;
  /** Bundles for this node that were put together from fragments. */
  readonly reassembled: number;
  /** Bundles that applications have taken. */
  readonly delivered: number;
  /** Contacts so far. */
  readonly contacts: number;
  /** Attempts at neighbours that made no contact. */
  readonly failedDials: number;
  /** Bundles that were dropped, by reason. */
  readonly dropped: Readonly<Record<NodeDrop, number>>;
}

/** What a node counts beside its forwarder. */
export interface OwnCounts extends
  Record<
    | "created"
    | "received"
    | "stored"
    | "reassembled"
    | "delivered"
    | "contacts"
    | "failedDials",
    number
  > {
  /** By reason. */
  readonly dropped: Record<NodeDrop, number>;
}

/** Counts of a node that has done nothing yet. */
export function noOwnCounts(): OwnCounts {
  const dropped = Object.fromEntries(NODE_DROPS.map((reason) => [reason, 0]));
  return {
    created: 0,
    received: 0,
    stored: 0,
    reassembled: 0,
    delivered: 0,
    contacts: 0,
    failedDials: 0,
    dropped: dropped as Record<NodeDrop, number>,
  };
}
