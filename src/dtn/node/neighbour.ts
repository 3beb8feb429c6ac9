import { ContactError } from "../cla/contact_error.ts";
import type { Contact, RefusalReason } from "../cla/convergence_layer.ts";
import type { ContactCost } from "../schedule/scheduler.ts";

/** What became of a bundle that a neighbour was sent. */
export type SentOutcome =
  | "sent" // it has it
  | "later" // it has no room now
  | "never" // it does not want it, or does not say why
  | "too_large" // it takes none of that size
  | "unknown"; // the contact ended before the outcome was known

/** What the whole neighbour suffers from, not the one bundle. */
const LATER: readonly RefusalReason[] = [
  "noResources",
  "retransmit",
  "sessionTerminating",
];

/** A neighbour in contact. */
export class Neighbour {
  /** Its node id. */
  readonly id: string;
  /** The contact. */
  readonly contact: Contact;
  /** What sending to it costs. */
  readonly cost: ContactCost;
  /** Names of the bundles under way to it. */
  readonly sending = new Set<string>();

  /** Begins with nothing under way. */
  constructor(id: string, contact: Contact, cost: Omit<ContactCost, "peer">) {
    this.id = id;
    this.contact = contact;
    this.cost = { ...cost, peer: id };
  }

  /** Sends a bundle. */
  async send(bytes: Uint8Array): Promise<SentOutcome> {
    try {
      const outcome = await this.contact.send(bytes);
      if (outcome.kind !== "refused") return "sent";
      return LATER.includes(outcome.reason) ? "later" : "never";
    } catch (error) {
      if (!(error instanceof ContactError)) throw error;
      return error.code === "tooLarge" ? "too_large" : "unknown";
    }
  }
}
