import { encodeHex, Reader } from "../../core/bytes/mod.ts";
import { extensionOf } from "../client_hello.ts";
import { EXTENSION } from "../extension.ts";
import { echOf, type EchOuter, keySharesOf } from "../extension_data.ts";
import {
  type Code,
  type ExtensionRule,
  GREASE,
  type KeyShareRule,
} from "../extension_rule.ts";
import { isGrease } from "../grease.ts";
import { protocolsOf } from "../hello_kind.ts";
import { GROUP } from "../key_share.ts";
import { u16List } from "../u16_list.ts";
import {
  constantOf,
  type LearnedHello,
  requireUniform,
  scopeOf,
  unexplained,
} from "./evidence.ts";

/** HPKE's ChaCha20-Poly1305 (RFC 9180 §7.3), which BoringSSL prefers where the CPU has no AES instructions. */
const CHACHA20_POLY1305 = 3;

/**
 * Infers how the extension of `type` is made, from every hello that has it.
 *
 * @throws {UtlsError} `capture` if no rule explains its data.
 */
export function learnExtensionRule(
  type: number,
  learned: readonly LearnedHello[],
): ExtensionRule {
  const seen = learned.filter(({ kind, hello }) =>
    kind !== "retry" && extensionOf(hello, type) !== undefined
  );
  const datas = seen.map(({ hello }) => extensionOf(hello, type)!);
  switch (type) {
    case EXTENSION.serverName:
      return { rule: "serverName", type };
    case EXTENSION.cookie:
      return { rule: "cookie", type };
    case EXTENSION.supportedGroups:
      return codes("supportedGroups", type, datas);
    case EXTENSION.signatureAlgorithms:
      return codes("signatureAlgorithms", type, datas);
    case EXTENSION.supportedVersions:
      return codes("supportedVersions", type, datas, 1);
    case EXTENSION.keyShare:
      return { rule: "keyShare", type, groups: learnGroups(seen) };
    case EXTENSION.alpn:
      return {
        rule: "alpn",
        type,
        page: protocols(seen, "page", type),
        websocket: protocols(seen, "websocket", type),
      };
    case EXTENSION.applicationSettings:
    case EXTENSION.applicationSettingsOld:
      return {
        rule: "applicationSettings",
        type,
        protocols: protocols(seen, "page", type),
      };
    case EXTENSION.encryptedClientHello:
      return learnEch(type, seen);
    case EXTENSION.trustAnchors:
      return learnTrustAnchors(type, seen);
    default: {
      const data = constantOf(`extension ${type}`, datas, encodeHex);
      return { rule: "constant", type, data: Uint8Array.from(data) };
    }
  }
}

/**
 * The codes that all of `lists` have in each place, GREASE where each has a value of RFC 8701 that is drawn.
 *
 * @throws {UtlsError} `capture` if a place holds more than one value that is not GREASE.
 */
export function codesOf(
  what: string,
  lists: readonly (readonly number[])[],
): Code[] {
  const length = constantOf(
    `length of ${what}`,
    lists.map((list) => list.length),
  );
  return Array.from({ length }, (_, place) => {
    const values = lists.map((list) => list[place]!);
    const isDrawn = values.every(isGrease) && new Set(values).size > 1;
    if (!isDrawn) return constantOf(what, values);
    requireUniform(`GREASE in ${what}`, values, 16);
    return GREASE;
  });
}

function codes(
  rule: "supportedGroups" | "signatureAlgorithms" | "supportedVersions",
  type: number,
  datas: readonly Uint8Array[],
  lengthBytes: 1 | 2 = 2,
): ExtensionRule {
  const lists = datas.map((data) => u16List(data, rule, lengthBytes));
  return { rule, type, codes: codesOf(rule, lists) };
}

function learnGroups(seen: readonly LearnedHello[]): KeyShareRule["groups"] {
  const shares = seen.map(({ hello }) => keySharesOf(hello));
  const groups = codesOf(
    "key_share",
    shares.map((list) => list.map(([group]) => group)),
  );
  const known = Object.values(GROUP);
  return groups.map((code, place) => {
    if (code === GREASE) return code;
    const group = known.find((group) => group === code);
    if (group === undefined) throw unexplained(`key_share of group ${code}`);
    const keys = new Set(shares.map((list) => encodeHex(list[place]![1])));
    if (keys.size < seen.length) throw unexplained("a key that comes again");
    return group;
  });
}

function protocols(
  seen: readonly LearnedHello[],
  kind: "page" | "websocket",
  type: number,
): string[] {
  const datas = seen.filter((each) => each.kind === kind)
    .map(({ hello }) => extensionOf(hello, type)!);
  return protocolsOf(
    constantOf(`extension ${type} of a ${kind}`, datas, encodeHex),
  );
}

function learnEch(
  type: number,
  seen: readonly LearnedHello[],
): ExtensionRule {
  const aeads = (aesHardware: boolean) =>
    seen.filter((each) => each.aesHardware === aesHardware)
      .map(({ hello }) => echOf(hello)!.aead);
  const constant = (name: string, pick: (ech: EchOuter) => number) =>
    constantOf(`ECH's ${name}`, seen.map(({ hello }) => pick(echOf(hello)!)));
  if (constant("length of enc", ({ enc }) => enc.length) !== 32) {
    throw unexplained("ECH's enc");
  }
  const without = aeads(false);
  const drawn = seen.map(({ hello }) => echOf(hello)!.payload.length);
  const payloadBytes = [...new Set(drawn)].sort((a, b) => a - b);
  if (payloadBytes.length > 1) {
    requireUniform("ECH's payload length", drawn, payloadBytes.length);
  }
  return {
    rule: "encryptedClientHello",
    type,
    kdf: constant("kdf", ({ kdf }) => kdf),
    aead: constantOf("ECH's aead", aeads(true)),
    aeadWithoutAesHardware: without.length > 0
      ? constantOf("ECH's aead", without)
      : CHACHA20_POLY1305,
    payloadBytes,
  };
}

function learnTrustAnchors(
  type: number,
  seen: readonly LearnedHello[],
): ExtensionRule {
  const lists = seen.map((each) => {
    const r = new Reader(extensionOf(each.hello, type)!, "trust_anchors");
    const list = r.sub(r.u16());
    r.end();
    const ids: string[] = [];
    while (list.remaining > 0) ids.push(encodeHex(list.take(list.u8())));
    return { process: each.process, ids, text: ids.join() };
  });
  const [{ ids }] = [
    constantOf("trust_anchors", lists, ({ ids }) => ids.toSorted().join()),
  ];
  const order = scopeOf(lists);
  return {
    rule: "trustAnchors",
    type,
    ids: (order === "build" ? ids : ids.toSorted())
      .map((id) => Uint8Array.fromHex(id)),
    order,
  };
}
