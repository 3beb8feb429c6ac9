/** Bytes over a plain `ArrayBuffer`, as WebCrypto requires; what encoders and ciphers return. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** One new array that holds `parts` in order. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const encoder = new TextEncoder();

/** The UTF-8 bytes of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}
