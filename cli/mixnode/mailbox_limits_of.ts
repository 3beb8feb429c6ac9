import type { MailboxLimits } from "../../src/mixnet/mod.ts";
import type { MixnodeConfig } from "./config.ts";

/** The bounds that `[node.mailboxes]` gives. */
export function mailboxLimitsOf(
  { mailboxes }: MixnodeConfig["node"],
): Required<MailboxLimits> {
  return {
    maxClients: mailboxes.max_clients,
    maxClientMessages: mailboxes.max_client_messages,
    maxClientBytes: mailboxes.max_client_size,
    maxMessages: mailboxes.max_messages,
    maxBytes: mailboxes.max_size,
    messageExpiryMs: mailboxes.message_expiry,
    clientExpiryMs: mailboxes.client_expiry,
  };
}
