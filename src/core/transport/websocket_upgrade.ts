/**
 * The HTTP/1.1 upgrade that opens a WebSocket (RFC 6455 §4), for both sides and without IO.
 *
 * @module
 */
import { type Bytes, utf8 } from "../bytes/mod.ts";
import { TransportError } from "./error.ts";
import {
  fieldValue,
  type HttpFields,
  type RequestHead,
  type ResponseHead,
} from "./http_head.ts";

const KEY_REGEXP = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Whether `head` asks for a WebSocket as RFC 6455 §4.2.1 wants. */
export function isWebSocketUpgrade(head: RequestHead): boolean {
  const { method, fields } = head;
  return method === "GET" && fieldValue(fields, "host") !== undefined &&
    listHas(fields, "connection", "upgrade") &&
    listHas(fields, "upgrade", "websocket") &&
    fieldValue(fields, "sec-websocket-version") === "13" &&
    KEY_REGEXP.test(fieldValue(fields, "sec-websocket-key") ?? "");
}

/** The request for a WebSocket at `path` of `host` (with its port, if not 80), under 16 random bytes of `nonce`. */
export function upgradeRequest(
  { host, path, fields, nonce }: {
    readonly host: string;
    readonly path: string;
    readonly fields: HttpFields;
    readonly nonce: Bytes;
  },
): RequestHead {
  return {
    method: "GET",
    target: path,
    fields: [
      ["Host", host],
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", nonce.toBase64()],
      ...fields,
    ],
  };
}

/** The answer that accepts `request`, for which {@link isWebSocketUpgrade} holds. */
export async function upgradeResponse(
  request: RequestHead,
  fields: HttpFields,
): Promise<ResponseHead> {
  return {
    status: 101,
    reason: "Switching Protocols",
    fields: [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Accept", await acceptValue(request)],
      ...fields,
    ],
  };
}

/**
 * Checks the answer to `request` (RFC 6455 §4.1).
 *
 * @throws {TransportError} `unreachable` if it refuses; `malformed` if it does not fit the request.
 */
export async function checkUpgradeResponse(
  request: RequestHead,
  { status, fields }: ResponseHead,
): Promise<void> {
  if (status !== 101) {
    throw new TransportError("unreachable", `Want status 101: got ${status}`);
  }
  const subprotocol = fieldValue(fields, "sec-websocket-protocol");
  const isAccepted = listHas(fields, "connection", "upgrade") &&
    listHas(fields, "upgrade", "websocket") &&
    fieldValue(fields, "sec-websocket-accept") === await acceptValue(request) &&
    !has(fields, "sec-websocket-extensions") &&
    (subprotocol === undefined ||
      listHas(request.fields, "sec-websocket-protocol", subprotocol));
  if (!isAccepted) {
    throw new TransportError(
      "malformed",
      "The WebSocket answer does not fit the request",
    );
  }
}

/** SHA-1 is fixed by RFC 6455 §4.2.2 and protects nothing, so it is not part of `core/crypto`. */
async function acceptValue({ fields }: RequestHead): Promise<string> {
  const key = fieldValue(fields, "sec-websocket-key") ?? "";
  const hash = await crypto.subtle.digest("SHA-1", utf8(key + ACCEPT_GUID));
  return new Uint8Array(hash).toBase64();
}

/** Whether a comma-separated list field holds `token`, in any case. */
function listHas(fields: HttpFields, name: string, token: string): boolean {
  return fields.some(([field, value]) =>
    field.toLowerCase() === name &&
    value.toLowerCase().split(",").some((item) =>
      item.trim() === token.toLowerCase()
    )
  );
}

function has(fields: HttpFields, name: string): boolean {
  return fields.some(([field]) => field.toLowerCase() === name);
}
