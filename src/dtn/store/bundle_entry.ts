/**
 * What a store knows of a bundle without its bytes.
 *
 * ```text
 * entry  version u8 = 1 ‖ flags u8 ‖ id ‖ source ‖ destination ‖ from ‖ varint size ‖ varint expires ‖ varint received
 *        ‖ bundle, if flag 1 is set; flag 2: it wants strict privacy
 * text   varint length ‖ UTF-8
 * ```
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  utf8,
  Writer,
} from "../../core/bytes/mod.ts";

/** Class of service: bulk, normal, expedited. */
export type Priority = 0 | 1 | 2;

/** Where a bundle is in a store. */
export interface Place {
  /** Of its class. */
  readonly rank: number;
  /** In the order of arrival. */
  readonly sequence: number;
}

/** What a store knows of a bundle. */
export interface BundleEntry {
  /** Its name, as `bundleId` gives it. */
  readonly id: string;
  /** Endpoint that made it. */
  readonly source: string;
  /** Endpoint that it is for. */
  readonly destination: string;
  /** Length of the encoded bundle, in bytes. */
  readonly size: number;
  /** Class of service. */
  readonly priority: Priority;
  /** When it is of no use any more: wall time in milliseconds since 1970. */
  readonly expiresMs: number;
  /** When it came: wall time in milliseconds since 1970. */
  readonly receivedMs: number;
  /** The neighbour that gave it; absent if it was made here. */
  readonly from?: string;
  /** Whether it wants strict privacy: neighbours are not told that it is here. */
  readonly isPrivate?: boolean;
}

/** An entry as it is stored. */
export interface StoredEntry {
  /** The entry. */
  readonly entry: BundleEntry;
  /** The bundle, if it is in one value with its entry. */
  readonly inline: Uint8Array | undefined;
}

const VERSION = 1;
const FLAG = { inline: 1, isPrivate: 2 } as const;
const WHAT = "bundle entry";

/** Encodes `entry`, with the bundle behind it if it is given. */
export function encodeEntry(entry: BundleEntry, inline?: Uint8Array): Bytes {
  const writer = new Writer(256 + (inline?.length ?? 0));
  writer.u8(VERSION).u8(
    (inline ? FLAG.inline : 0) | (entry.isPrivate ? FLAG.isPrivate : 0),
  );
  const texts = [entry.id, entry.source, entry.destination, entry.from ?? ""];
  for (const text of texts) {
    const bytes = utf8(text);
    writer.varint(bytes.length).put(bytes);
  }
  writer.varint(entry.size).varint(entry.expiresMs).varint(entry.receivedMs);
  if (inline) writer.put(inline);
  return writer.finish();
}

/**
 * Decodes what {@link encodeEntry} made.
 *
 * @throws {DecodeError} If it is not of the form.
 */
export function decodeEntry(
  bytes: Uint8Array,
  priority: Priority,
): StoredEntry {
  const reader = new Reader(bytes, WHAT);
  if (reader.u8() !== VERSION) throw new DecodeError(WHAT, "another version");
  const flags = reader.u8();
  const [id, source, destination, from] = [0, 1, 2, 3].map(() =>
    new TextDecoder().decode(reader.take(reader.varint()))
  ) as [string, string, string, string];
  const size = reader.varint();
  const expiresMs = reader.varint();
  const receivedMs = reader.varint();
  const entry: BundleEntry = {
    ...{ id, source, destination, size, priority, expiresMs, receivedMs },
    ...from !== "" && { from },
    ...(flags & FLAG.isPrivate) !== 0 && { isPrivate: true },
  };
  const isInline = (flags & FLAG.inline) !== 0;
  return { entry, inline: isInline ? reader.rest() : undefined };
}
