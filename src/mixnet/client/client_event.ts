import type { Bytes } from "../../core/bytes/mod.ts";
import type { MixClientErrorCode } from "./error.ts";

/** What {@link ClientCore} has to say; messages are known by their ids in hex. */
export type ClientEvent =
  | {
    /** Every fragment of a message that asks for no reply is in the recipient's mailbox. */
    readonly kind: "sent";
    /** Which. */
    readonly key: string;
  }
  | {
    /** A message we send, a request or a reply failed. */
    readonly kind: "failed";
    /** Which. */
    readonly key: string;
    /** Why. */
    readonly code: MixClientErrorCode;
  }
  | {
    /** A message came; {@link ClientCore.taken} says that it was taken. */
    readonly kind: "message";
    /** Which. */
    readonly key: string;
    /** What it says. */
    readonly bytes: Bytes;
    /** Whether it can be replied to. */
    readonly canReply: boolean;
  }
  | {
    /** The reply to a request came. */
    readonly kind: "reply";
    /** Which request. */
    readonly key: string;
    /** What it says. */
    readonly bytes: Bytes;
  }
  | {
    /** The other side has our reply. */
    readonly kind: "replied";
    /** To which message. */
    readonly key: string;
  }
  | {
    /** A ping came back. */
    readonly kind: "pong";
    /** Which. */
    readonly key: string;
    /** How long it was away, in milliseconds. */
    readonly tookMs: number;
  };
