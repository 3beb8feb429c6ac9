/**
 * One process of a peer that needs nothing but Deno and this repository: `peer.ts <name> server` or
 * `peer.ts <name> client <what the server said>`.
 * Names with `native` load libcrypto from where `BETANET_LIBCRYPTO` says, or the system's.
 *
 * @module
 */
import {
  checkedProvider,
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { importLibcryptoKey, openLibcrypto } from "../../src/ffi/mod.ts";
import { betanetTls } from "./betanet_tls_peer.ts";
import { htx } from "./htx_peer.ts";
import { denoTls, rawTcp } from "./plain_peer.ts";
import { runPeer } from "./_run_peer.ts";
import type { Peer } from "./_workload.ts";

const LIBRARY = Deno.env.get("BETANET_LIBCRYPTO");

const PEERS: Readonly<Record<string, Peer>> = {
  "tcp": rawTcp,
  "tls": denoTls,
  "betanet": betanetTls(nodeProvider),
  "htx-tcp": htx("tcp", nodeProvider),
  "htx-ws": htx("ws", nodeProvider),
  "htx-quic": htx("quic", nodeProvider),
  "htx-tls": htx("tls", nodeProvider),
};
/** Those that need OpenSSL 3. */
const NATIVE_PEERS: Readonly<Record<string, (lib: CryptoProvider) => Peer>> = {
  "betanet-native": (lib) => betanetTls(lib, importLibcryptoKey),
  "htx-tcp-native": (lib) => htx("tcp", lib),
  "htx-tls-native": (lib) => htx("tls", lib, importLibcryptoKey),
};

const [name = "", role = "", known = "null"] = Deno.args;
const peer = PEERS[name] ??
  NATIVE_PEERS[name]?.(checkedProvider(openLibcrypto(LIBRARY)));
if (!peer) throw new TypeError(`No peer ${name}`);
await runPeer(peer, role, known);
