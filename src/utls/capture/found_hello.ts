import type { Bytes } from "../../core/bytes/mod.ts";
import type { CaptureDrop, Endpoint } from "../../core/capture/mod.ts";
import type { ClientHello } from "../client_hello.ts";
import type { ServerHello } from "../server_hello.ts";

/** Why a part of a capture gave no hello. */
export type DropReason =
  | CaptureDrop
  | "gap" // bytes of a stream that never came, or too many behind those
  | "evicted" // a stream that gave way to newer ones before its first hello
  | "oversized" // a hello longer than MAX_HELLO_BYTES
  | "undecodable" // a hello that does not decode
  | "undecryptable"; // a QUIC Initial packet whose keys are not known

/** Where a hello was found. */
export interface FoundAt {
  /** Number of the packet that completed it, from 1. */
  readonly packet: number;
  /** When that packet was seen, in milliseconds since 1970; `undefined` if the file does not say. */
  readonly timestampMs: number | undefined;
  /** What carried it. */
  readonly transport: "tcp" | "quic";
  /** Who sent it. */
  readonly source: Endpoint;
  /** Who received it. */
  readonly destination: Endpoint;
  /** The handshake message. */
  readonly message: Bytes;
}

/** A ClientHello in a capture. */
export interface FoundClientHello extends FoundAt {
  /** `"client"`. */
  readonly from: "client";
  /** What {@link message} says. */
  readonly hello: ClientHello;
}

/** A ServerHello, or HelloRetryRequest, in a capture. */
export interface FoundServerHello extends FoundAt {
  /** `"server"`. */
  readonly from: "server";
  /** What {@link message} says. */
  readonly hello: ServerHello;
}

/** A hello in a capture. */
export type FoundHello = FoundClientHello | FoundServerHello;
