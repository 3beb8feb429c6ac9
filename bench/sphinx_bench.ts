import { equal } from "../src/core/bytes/mod.ts";
import {
  checkedProvider,
  type CryptoProvider,
  generateX25519,
  nobleProvider,
  nodeProvider,
} from "../src/core/crypto/mod.ts";
import { FfiError, openLibcrypto, openLibsodium } from "../src/ffi/mod.ts";
import {
  COMPACT,
  createPacket,
  createSurb,
  recoverMessage,
  recoverReply,
  REGULAR,
  replyPacket,
  SphinxError,
  type SphinxGeometry,
  unwrapPacket,
} from "../src/mixnet/mod.ts";

const HOPS = 5;
const PROVIDERS = [nodeProvider, nobleProvider, ...native()];
const GEOMETRIES = [["regular", REGULAR], ["compact", COMPACT]] as const;

const keys = Array.from({ length: HOPS }, () => generateX25519(nodeProvider));
const privateKeys = keys.map(({ privateKey }) => privateKey.expose());
const route = {
  route: keys.map(({ publicKey }) => ({
    address: publicKey,
    publicKey,
    delayNs: 15_000_000,
  })),
  destination: nodeProvider.random(32),
  identifier: nodeProvider.random(16),
};
const message = nodeProvider.random(1_000);

for (const [name, geometry] of GEOMETRIES) {
  const packet = createPacket(nodeProvider, geometry, route, message);
  const last = privateKeys.slice(0, -1).reduce<Uint8Array>(
    (bytes, key) => forwarded(nodeProvider, geometry, key, bytes),
    packet,
  );
  const changed = packet.with(32, packet[32]! ^ 1);
  const [first, end] = [privateKeys[0]!, privateKeys.at(-1)!];

  compare(`create, ${HOPS} hops, ${name}`, (c) => {
    const run = () => createPacket(c, geometry, route, message);
    check(c, travelled(geometry, run()), message);
    return run;
  });
  compare(`unwrap and forward, ${name}`, (c) => {
    check(
      c,
      forwarded(c, geometry, first, packet),
      forwarded(nodeProvider, geometry, first, packet),
    );
    return () => unwrapPacket(c, geometry, first, packet);
  });
  compare(`unwrap and deliver, ${name}`, (c) => {
    check(c, delivered(c, geometry, end, last), message);
    return () => unwrapPacket(c, geometry, end, last);
  });
  compare(`refuse a changed header, ${name}`, (c) => {
    const run = () => refused(c, geometry, first, changed);
    if (run() !== "mac") throw new Error(`${c.name} takes a changed header`);
    return run;
  });
}

compare(`create a SURB, ${HOPS} hops`, (c) => {
  const { surb, recovery } = createSurb(c, route);
  const { packet } = replyPacket(c, COMPACT, surb, message);
  const payload = privateKeys.reduce<Uint8Array>((bytes, key) => {
    const hop = unwrapPacket(c, COMPACT, key, bytes);
    return hop.kind === "forward" ? hop.packet : hop.payload;
  }, packet);
  check(c, recoverReply(c, recovery, payload), message);
  return () => createSurb(c, route);
});

/** Registers one bench a provider, whose result `prepare` has checked. */
function compare(
  group: string,
  prepare: (c: CryptoProvider) => () => unknown,
): void {
  for (const provider of PROVIDERS) {
    const run = prepare(provider);
    const baseline = provider === nodeProvider;
    const name = `${group}, ${provider.name}`;
    Deno.bench(name, { group, baseline }, () => void run());
  }
}

/** The message of a packet that has gone through all hops. */
function travelled(geometry: SphinxGeometry, packet: Uint8Array): Uint8Array {
  for (const key of privateKeys.slice(0, -1)) {
    packet = forwarded(nodeProvider, geometry, key, packet);
  }
  return delivered(nodeProvider, geometry, privateKeys.at(-1)!, packet);
}

function forwarded(
  c: CryptoProvider,
  geometry: SphinxGeometry,
  key: Uint8Array,
  packet: Uint8Array,
): Uint8Array {
  const hop = unwrapPacket(c, geometry, key, packet);
  if (hop.kind === "final") throw new Error("Delivered too early");
  return hop.packet;
}

function delivered(
  c: CryptoProvider,
  geometry: SphinxGeometry,
  key: Uint8Array,
  packet: Uint8Array,
): Uint8Array {
  const hop = unwrapPacket(c, geometry, key, packet);
  if (hop.kind === "forward") throw new Error("Delivered nowhere");
  return recoverMessage(hop.payload);
}

/** Why a packet is refused. */
function refused(
  c: CryptoProvider,
  geometry: SphinxGeometry,
  key: Uint8Array,
  packet: Uint8Array,
): string {
  try {
    return unwrapPacket(c, geometry, key, packet).kind;
  } catch (error) {
    if (error instanceof SphinxError) return error.code;
    throw error;
  }
}

function check(c: CryptoProvider, got: Uint8Array, want: Uint8Array): void {
  if (!equal(got, want)) throw new Error(`${c.name} is wrong`);
}

/** libcrypto, and libsodium on it, if there are any. */
function native(): CryptoProvider[] {
  try {
    const libcrypto = openLibcrypto();
    return [libcrypto, openLibsodium(libcrypto)].map(checkedProvider);
  } catch (error) {
    if (error instanceof FfiError) return [];
    throw error;
  }
}
