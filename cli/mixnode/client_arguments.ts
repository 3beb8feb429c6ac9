import { DecodeError, encodeBase64Url } from "../../src/core/bytes/mod.ts";
import { parseDuration } from "../../src/core/config/mod.ts";
import { type MixAddress, parseMixAddress } from "../../src/mixnet/mod.ts";
import { CliError } from "../_error.ts";

/** The address that an operand writes. */
export function addressOf(text: string): MixAddress {
  try {
    return parseMixAddress(text);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new CliError("usage", "This is no address of a client", {
      cause,
      hint: "An address is betanet-mix:… as the command address prints it.",
    });
  }
}

/** The milliseconds that `--deadline` writes. */
export function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new CliError(
      "usage",
      `--deadline is a duration such as 5m: got ${text}`,
      {
        cause,
      },
    );
  }
}

/** What `--count` writes. */
export function countOf(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new CliError("usage", `--count is a number from 1: got ${text}`);
}

/** `bytes` as text if they are UTF-8, else in base64url. */
export function shown(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return encodeBase64Url(bytes);
  }
}
