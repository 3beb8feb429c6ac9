import { encodeBase64Url } from "../../core/bytes/mod.ts";

/** A value that came in CBOR as JSON: byte strings in base64url, integers beyond 64-bit floats in decimal, both as texts. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each === "bigint") return `${each}`;
    return each instanceof Uint8Array ? encodeBase64Url(each) : each;
  }) ?? "null";
}
