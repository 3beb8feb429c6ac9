import {
  decodeBase64Url,
  encodeBase64Url,
  encodeHex,
} from "../../src/core/bytes/mod.ts";
import { systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { encodeRequestHead } from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command, type Context } from "../_main.ts";
import { readRecord } from "./record.ts";

const USAGE = `
Usage: betanet-htx ticket --server <record> [--carrier <cookie|query|body>] [--host <name>]
       betanet-htx ticket --inspect <base64url>

Makes an access ticket (Betanet 1.1 §5.2) and prints the request that carries it, or says what a ticket holds.
A ticket is good once, for the hour it was made in and one before and after.

  --server <record>    the betanet-record:… text that the server printed, or a file that holds it
  --carrier <name>     cookie, query or body (drawn by the server's odds)
  --host <name>        Host of the request (example.org)
  --path <path>        path of the request (/)
  --inspect <text>     explain this ticket instead

Examples:
  betanet-htx ticket --server server.record --carrier query
  betanet-htx ticket --inspect AQejfLwUIJPI…
`;

/** Makes or explains a ticket. */
export const ticket: Command = command({
  usage: USAGE,
  flags: {
    server: "string",
    carrier: "string",
    host: "string",
    path: "string",
    inspect: "string",
  },
  run(flags, context) {
    if (flags.inspect === undefined) make(flags, context);
    else inspect(flags.inspect, context);
    return Promise.resolve();
  },
});

function make(
  flags: {
    readonly server: string | undefined;
    readonly carrier: string | undefined;
    readonly host: string | undefined;
    readonly path: string | undefined;
  },
  { print }: Context,
): void {
  const crypto = defaultProvider();
  const offer = readRecord(flags.server).tickets[0]!;
  const carrier = carrierOf(flags.carrier) ??
    htx.drawCarrier(crypto, offer.policy);
  const payload = htx.makeTicket(crypto, {
    ticketPublicKey: offer.publicKey,
    keyId: offer.keyId,
    wallTimeMs: systemClock.wallTime(),
    minPaddingLength: offer.policy.minPaddingLength,
    maxPaddingLength: offer.policy.maxPaddingLength,
  });
  const { head, body } = htx.makeTicketRequest({
    carrier,
    payload,
    host: flags.host ?? "example.org",
    path: flags.path ?? "/",
    cookieName: offer.cookieName,
  });
  const decoder = new TextDecoder();
  const request = decoder.decode(encodeRequestHead(head)) +
    decoder.decode(body);
  print(
    { carrier, ticket: encodeBase64Url(payload), request },
    request.replaceAll("\r\n", "\n").trimEnd(),
  );
}

function inspect(text: string, { print }: Context): void {
  const bytes = decodeBase64Url(text);
  const { clientPublicKey, keyId, nonce, accessTicket } = htx.decodeTicket(
    bytes,
  );
  const value = {
    version: bytes[0],
    clientPublicKey: encodeHex(clientPublicKey),
    keyId: encodeHex(keyId),
    nonce: encodeHex(nonce),
    accessTicket: encodeHex(accessTicket),
    paddingBytes: bytes.length - htx.TICKET_FIXED_LENGTH,
  };
  const lines = Object.entries(value).map(([name, is]) =>
    `${name.padEnd(16)} ${is}`
  );
  print(value, lines.join("\n"));
}

function carrierOf(text: string | undefined): htx.Carrier | undefined {
  if (text === undefined) return undefined;
  const found = htx.CARRIERS.find((carrier) => carrier === text);
  if (found) return found;
  throw new CliError("usage", "Flag --carrier wants cookie, query or body");
}
