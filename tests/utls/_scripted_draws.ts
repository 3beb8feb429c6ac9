import {
  type Bytes,
  concat,
  Reader,
  Writer,
} from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  type DrawOptions,
  EXTENSION,
  extensionOf,
  type ExtensionRule,
  isGrease,
  type KeyShare,
  type Profile,
} from "../../src/utls/mod.ts";
import { echOf, keySharesOf } from "../../src/utls/extension_data.ts";
import { protocolsOf, serverNameOf } from "../../src/utls/hello_kind.ts";

/** Options that make `drawOffer` draw what the sender of `hello` drew, and fail if it asks for anything else. */
export function drawsOf(
  profile: Profile,
  hello: ClientHello,
): DrawOptions & { unused(): number } {
  const ech = echOf(hello);
  const rules = profile.hello.extensions;
  const moving = rules.flatMap((rule) => rule.rule === "grease" ? [] : [rule]);
  const queue = [
    Uint8Array.from(hello.random),
    Uint8Array.from(hello.sessionId),
  ];
  queue.push(seedOf(hello, ech?.configId ?? 0));
  if (profile.hello.extensionOrder === "connection") {
    queue.push(shuffleDraws(orderOf(moving, hello)));
  }
  const rule = rules.find((rule) => rule.rule === "encryptedClientHello");
  if (ech && rule?.rule === "encryptedClientHello") {
    const choice = rule.payloadBytes.indexOf(ech.payload.length);
    queue.push(new Writer().u32(choice).finish());
    queue.push(new Uint8Array(32), Uint8Array.from(ech.payload));
  }
  const serverName = serverNameOf(hello);
  const shares = new Map(keySharesOf(hello));
  const protocols = protocolsOf(extensionOf(hello, EXTENSION.alpn)!);
  return {
    crypto: scripted(queue, ech?.enc),
    ...serverName !== undefined && { serverName },
    variant: protocols.includes("h2") ? "page" : "websocket",
    aesHardware: hello.cipherSuites[1] === 0x1301,
    process: {
      extensionOrder: [],
      trustAnchorOrder: anchorOrder(profile, hello),
    },
    keyShare: (group) => shareOf(group, shares.get(group)!),
    unused: () => queue.length,
  };
}

function scripted(queue: Bytes[], enc: Uint8Array | undefined): CryptoProvider {
  return {
    ...nodeProvider,
    random(length) {
      const next = queue.shift();
      if (next?.length !== length) {
        throw new Error(`Asked for ${length} bytes, scripted ${next?.length}`);
      }
      return next;
    },
    x25519: { ...nodeProvider.x25519, publicKey: () => Uint8Array.from(enc!) },
  };
}

/** A key share that only shows a public key. */
export function shareOf(group: KeyShare["group"], key: Uint8Array): KeyShare {
  return {
    group,
    publicKey: Uint8Array.from(key),
    sharedSecret() {
      throw new Error("Not a share to agree with");
    },
    [Symbol.dispose]() {},
  };
}

/** The GREASE of a hello, by what it is in; 0 where there is none. */
export function greaseOf(
  hello: ClientHello,
): Record<
  | "cipher"
  | "group"
  | "firstExtension"
  | "lastExtension"
  | "version"
  | "signatureAlgorithm",
  number
> {
  const extensions = hello.extensions ?? [];
  const code = (type: number, offset: number) => {
    const data = extensionOf(hello, type);
    const value = data ? data[offset]! << 8 | data[offset + 1]! : 0;
    return isGrease(value) ? value : 0;
  };
  const last = extensions.findLast(({ type }) => isGrease(type));
  return {
    cipher: hello.cipherSuites[0]!,
    group: code(EXTENSION.supportedGroups, 2),
    firstExtension: extensions[0]!.type,
    lastExtension: last!.type,
    version: code(EXTENSION.supportedVersions, 1),
    signatureAlgorithm: code(EXTENSION.signatureAlgorithms, 2),
  };
}

function seedOf(hello: ClientHello, configId: number): Bytes {
  const grease = greaseOf(hello);
  const seed = [
    grease.cipher,
    grease.group,
    grease.firstExtension,
    grease.lastExtension,
    grease.version,
    0,
    configId,
    grease.signatureAlgorithm,
  ];
  return Uint8Array.from(seed);
}

function orderOf(
  moving: readonly { type: number }[],
  hello: ClientHello,
): number[] {
  const sent = (hello.extensions ?? [])
    .map(({ type }) => moving.findIndex((rule) => rule.type === type))
    .filter((place) => place >= 0);
  const absent = moving.map((_, at) => at).filter((at) => !sent.includes(at));
  return [...sent, ...absent];
}

/** The random bytes with which a Fisher–Yates shuffle gives `order`. */
function shuffleDraws(order: readonly number[]): Bytes {
  const places = order.map((_, at) => at);
  const draws: Uint8Array[] = [];
  for (let at = order.length - 1; at > 0; at--) {
    const other = places.indexOf(order[at]!);
    [places[at], places[other]] = [places[other]!, places[at]!];
    draws.push(new Writer().u32(other).finish());
  }
  return concat(...draws);
}

function anchorOrder(
  { hello: { extensions } }: Profile,
  hello: ClientHello,
): number[] {
  const rule = extensions.find((rule: ExtensionRule) =>
    rule.rule === "trustAnchors"
  );
  const data = extensionOf(hello, EXTENSION.trustAnchors);
  if (rule?.rule !== "trustAnchors" || !data) return [];
  const ids = rule.ids.map((id) => id.toHex());
  const r = new Reader(data, "trust_anchors");
  const list = r.sub(r.u16());
  const order: number[] = [];
  while (list.remaining > 0) {
    order.push(ids.indexOf(list.take(list.u8()).toHex()));
  }
  return order;
}
