import type { GroupInfo } from "ts-mls/groupInfo.js";
import type { KeyPackage } from "ts-mls/keyPackage.js";
import {
  decodeMlsMessage,
  encodeMlsMessage,
  type MLSMessage,
  type MlsMessageContent,
} from "ts-mls/message.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import type { Welcome } from "ts-mls/welcome.js";
import type { Bytes } from "../../../core/bytes/mod.ts";
import { FabricError } from "../../error.ts";
import {
  type GroupMessageHeader,
  MAX_GROUP_MESSAGE_BYTES,
} from "./group_crypto.ts";
import { asFabricError } from "./mls_error.ts";

/** The MLSMessage (RFC 9420 §6) that `bytes` are. */
function readMessage(bytes: Uint8Array): MLSMessage {
  if (bytes.length > MAX_GROUP_MESSAGE_BYTES) {
    throw new FabricError(
      "too_large",
      `A group's message has at most ${MAX_GROUP_MESSAGE_BYTES} bytes`,
    );
  }
  let read: [MLSMessage, number] | undefined;
  try {
    read = decodeMlsMessage(bytes.slice(), 0);
  } catch (cause) {
    throw asFabricError("A group's message", cause);
  }
  if (read === undefined || read[1] !== bytes.length) {
    throw new FabricError("malformed", "Want one message of MLS");
  }
  return read[0];
}

/** The bytes of a message. */
export function writeMessage(content: MlsMessageContent): Bytes {
  return encodeMlsMessage({ version: "mls10", ...content }).slice();
}

/** A key package in `bytes`. */
export function readKeyPackageMessage(bytes: Uint8Array): KeyPackage {
  const message = readMessage(bytes);
  if (message.wireformat === "mls_key_package") return message.keyPackage;
  throw new FabricError("malformed", "Want a key package");
}

/** A Welcome in `bytes`. */
export function readWelcome(bytes: Uint8Array): Welcome {
  const message = readMessage(bytes);
  if (message.wireformat === "mls_welcome") return message.welcome;
  throw new FabricError("malformed", "Want a Welcome");
}

/** A GroupInfo in `bytes`. */
export function readGroupInfo(bytes: Uint8Array): GroupInfo {
  const message = readMessage(bytes);
  if (message.wireformat === "mls_group_info") return message.groupInfo;
  throw new FabricError("malformed", "Want a GroupInfo");
}

/** A message that members of a group send each other, and where it belongs. */
export type FramedMessage =
  & { readonly groupId: Uint8Array; readonly epoch: bigint }
  & (
    | { readonly isPublic: false; readonly message: PrivateMessage }
    | { readonly isPublic: true; readonly message: PublicMessage }
  );

/** A message of members in `bytes`. */
export function readFramed(bytes: Uint8Array): FramedMessage {
  const message = readMessage(bytes);
  if (message.wireformat === "mls_private_message") {
    const { groupId, epoch } = message.privateMessage;
    return { groupId, epoch, isPublic: false, message: message.privateMessage };
  }
  if (message.wireformat === "mls_public_message") {
    const { groupId, epoch } = message.publicMessage.content;
    return { groupId, epoch, isPublic: true, message: message.publicMessage };
  }
  throw new FabricError("malformed", "Want a message between members");
}

/** What a message says of itself. */
export function headerOf(bytes: Uint8Array): GroupMessageHeader {
  const message = readMessage(bytes);
  switch (message.wireformat) {
    case "mls_welcome":
      return { kind: "welcome" };
    case "mls_key_package":
      return { kind: "key_package" };
    case "mls_group_info": {
      const { groupId, epoch } = message.groupInfo.groupContext;
      return { kind: "group_info", groupId: groupId.slice(), epoch };
    }
    case "mls_private_message": {
      const { groupId, epoch, contentType } = message.privateMessage;
      return { kind: contentType, groupId: groupId.slice(), epoch };
    }
    case "mls_public_message": {
      const { groupId, epoch, contentType } = message.publicMessage.content;
      return { kind: contentType, groupId: groupId.slice(), epoch };
    }
  }
}
