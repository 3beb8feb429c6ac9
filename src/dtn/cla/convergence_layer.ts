import type { WaitOptions } from "../../core/async/mod.ts";
import type { Bytes } from "../../core/bytes/mod.ts";
import type { Address, DialOptions } from "../../core/transport/mod.ts";

/** One way to carry bundles to a neighbour (RFC 9171 §7): it knows their bytes and nothing of what they say. */
export interface ConvergenceLayer {
  /** What it is called in configuration and counters: `tcpcl`, `mtcp`, `udp`. */
  readonly name: string;
  /**
   * Opens a contact with the node at `address`.
   *
   * @throws {ContactError} `unreachable`, `timeout` or `violation`.
   * @throws The reason of the signal.
   */
  dial(address: Address, options?: DialOptions): Promise<Contact>;
  /**
   * Takes contacts at `address`; port 0 lets the system choose.
   *
   * @throws {TransportError} `in_use` if the address is taken.
   */
  listen(address: Address): Promise<ContactListener>;
}

/** Takes contacts until closed; iterate it once. */
export interface ContactListener
  extends AsyncIterable<Contact>, AsyncDisposable {
  /** Where it listens, with the port the system chose. */
  readonly address: Address;
  /** Takes no more; contacts already taken live on. */
  close(): void;
}

/** A neighbour that can be sent bundles and sends some, until {@link closed}. */
export interface Contact extends AsyncDisposable {
  /** The peer's end. */
  readonly remoteAddress: Address;
  /** The node id that the peer says it has; nobody has proved it. Absent where the layer has no such thing. */
  readonly peerNodeId: string | undefined;
  /**
   * Whether nobody on the way can tell that bundles go from us to the peer: those that want strict privacy leave over no other contact.
   * It is not, by default.
   */
  readonly isPrivate?: boolean;
  /** The largest bundle that {@link send} takes, in bytes. */
  readonly maxBundleBytes: number;
  /** Bundles of the peer; iterate it once. It ends when the contact has, after all that had come whole. */
  readonly received: AsyncIterable<ReceivedBundle>;
  /** What happened so far. */
  readonly counts: Readonly<ContactCounts>;
  /** Resolves when the contact is over and has let go of everything; never rejects. */
  readonly closed: Promise<void>;

  /**
   * Sends a bundle, whose bytes must stay as they are until the outcome is known.
   *
   * Several may be under way; beyond the bound of the layer it waits for room, in order. If the signal aborts before the first byte
   * left, the peer sees nothing of the bundle; afterwards sending goes on, and what becomes of it is unknown.
   *
   * @throws {ContactError} `tooLarge`, or `closed` or `disconnected` if the contact ended before the outcome was known: the peer may
   *   have the bundle or not.
   * @throws The reason of the signal.
   */
  send(bundle: Uint8Array, options?: WaitOptions): Promise<SendOutcome>;

  /** Takes no new bundles, lets those under way come to their outcome, takes leave and closes. */
  end(): Promise<void>;

  /** Drops the contact at once. May be called again. */
  close(): void;
}

/** What became of a bundle that was sent. */
export type SendOutcome =
  | { readonly kind: "acknowledged" } // the peer says that it has it
  | { readonly kind: "handedOver" } // it was written out, and the layer has no acknowledgement
  | { readonly kind: "refused"; readonly reason: RefusalReason };

/** Why a node does not take a bundle (RFC 9174 §5.2.4, without `completed`, which is a success). */
export type RefusalReason =
  | "unknown"
  | "noResources" // later may do
  | "retransmit" // send it again from the start
  | "notAcceptable" // do not send it again
  | "extensionFailure" // an extension of the transfer was not understood
  | "sessionTerminating"; // on another contact

/**
 * A bundle that came whole. The peer hears nothing until the node has decided: call {@link accept} once it is stored, so that
 * acknowledged means durable. The first call counts. Until then it takes room in the contact, which stops reading when that is full.
 */
export interface ReceivedBundle {
  /** Its bytes, which the node may keep. */
  readonly bytes: Bytes;
  /** Takes it: the peer may forget it. */
  accept(): void;
  /** Does not take it: the peer still has it, where the layer can say so. */
  refuse(reason: RefusalReason): void;
}

/** Counters of a contact. */
export interface ContactCounts {
  /** Bundles that were acknowledged or handed over. */
  sent: number;
  /** Bundles that the peer refused. */
  refusedByPeer: number;
  /** Bundles that came whole. */
  received: number;
  /** Bundles of the peer that the layer refused: too large, no room, malformed transfer. */
  refusedByLayer: number;
  /** Bundles of the peer that the node refused. */
  refusedByNode: number;
  /** Bundles that came without a way to refuse them and found no room. */
  dropped: number;
  /** Bytes read, all framing included. */
  bytesIn: number;
  /** Bytes written, all framing included. */
  bytesOut: number;
}

/** Counters at the start of a contact. */
export function noContactCounts(): ContactCounts {
  return {
    sent: 0,
    refusedByPeer: 0,
    received: 0,
    refusedByLayer: 0,
    refusedByNode: 0,
    dropped: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
}
