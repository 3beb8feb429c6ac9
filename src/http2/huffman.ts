/**
 * HPACK's Huffman code (RFC 7541 §5.2 and Appendix B).
 *
 * The code is canonical: shorter codes come first and codes of one length count up in the order of their symbols, so that the
 * lengths say everything.
 *
 * @module
 */
import { type Bytes, DecodeError } from "../core/bytes/mod.ts";

/** Bits of the code of each byte value. */
// deno-fmt-ignore
const BITS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/** Codes of one length, which are `first` and those above it. */
interface CodeLength {
  readonly bits: number;
  /** Below this, a code that fills 32 bits from the left is no longer than `bits`. */
  readonly below: number;
  readonly first: number;
  readonly symbols: readonly number[];
}

interface Code {
  readonly codes: readonly number[];
  readonly lengths: readonly CodeLength[];
}

let made: Code | undefined;

function code(): Code {
  return made ??= makeCode();
}

function makeCode(): Code {
  const codes: number[] = [];
  const lengths: CodeLength[] = [];
  let next = 0;
  for (let bits = 5; bits <= 30; bits++) {
    next *= 2;
    const symbols = [...BITS.keys()].filter((symbol) => BITS[symbol] === bits);
    if (symbols.length === 0) continue;
    const first = next;
    for (const symbol of symbols) codes[symbol] = next++;
    lengths.push({ bits, first, symbols, below: next * 2 ** (32 - bits) });
  }
  return { codes, lengths };
}

/** Bytes that {@link encodeHuffman} gives. `text` has one character from U+0000 to U+00FF for each byte. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += BITS[text.charCodeAt(i)]!;
  return Math.ceil(bits / 8);
}

/** Encodes `text`, one character from U+0000 to U+00FF for each byte. */
export function encodeHuffman(text: string): Bytes {
  const { codes } = code();
  const out = new Uint8Array(huffmanLength(text));
  let at = 0;
  let held = 0; // fewer than 8 bits, then up to 38
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    held = held * 2 ** BITS[byte]! + codes[byte]!;
    bits += BITS[byte]!;
    while (bits >= 8) {
      bits -= 8;
      const top = Math.floor(held / 2 ** bits);
      out[at++] = top;
      held -= top * 2 ** bits;
    }
  }
  if (bits > 0) out[at] = held << 8 - bits | 0xff >> bits;
  return out;
}

/**
 * Decodes to a text of one character from U+0000 to U+00FF for each byte.
 *
 * @throws {DecodeError} If the padding is longer than 7 bits or not all ones, or the end-of-string symbol occurs.
 */
export function decodeHuffman(bytes: Uint8Array): string {
  const { lengths } = code();
  const end = 8 * bytes.length;
  const out: number[] = [];
  for (let at = 0; at < end;) {
    const ahead = bitsAhead(bytes, at);
    const length = lengths.find(({ below }) => ahead < below);
    if (!length || at + length.bits > end) {
      if (end - at < 8 && ahead === 0xffffffff) break;
      throw new DecodeError("HPACK string", "bad Huffman code or padding");
    }
    const index = ahead / 2 ** (32 - length.bits) - length.first;
    out.push(length.symbols[Math.floor(index)]!);
    at += length.bits;
  }
  return latin1(out);
}

/** 32 bits from bit `at` on, ones behind the end. */
function bitsAhead(bytes: Uint8Array, at: number): number {
  const byte = at >> 3;
  let high = 0;
  for (let i = byte; i < byte + 4; i++) high = high << 8 | (bytes[i] ?? 0xff);
  const shift = at & 7;
  const low = (bytes[byte + 4] ?? 0xff) >> 8 - shift;
  return (high << shift | low) >>> 0;
}

/** The text that has one character for each byte. */
export function latin1(bytes: ArrayLike<number>): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4_096) {
    const part = Array.prototype.slice.call(bytes, at, at + 4_096);
    text += String.fromCharCode(...part as number[]);
  }
  return text;
}
