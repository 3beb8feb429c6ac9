import { type ExtensionRule, GREASE } from "./extension_rule.ts";
import { KEY_SHARE_LENGTH } from "./key_share.ts";

/** Longest host name (RFC 1035 §2.3.4). */
const MAX_NAME_BYTES = 253;

/** Bytes of all extensions that `rules` can make at most, without pre-shared key, cookie and padding. */
export function longestExtensions(rules: readonly ExtensionRule[]): number {
  return sum(rules, (rule) => 4 + longestData(rule));
}

function longestData(rule: ExtensionRule): number {
  switch (rule.rule) {
    case "constant":
    case "grease":
      return rule.data.length;
    case "cookie":
      return 0;
    case "serverName":
      return 5 + MAX_NAME_BYTES;
    case "alpn":
      return Math.max(listLength(rule.page), listLength(rule.websocket));
    case "applicationSettings":
      return listLength(rule.protocols);
    case "trustAnchors":
      return listLength(rule.ids);
    case "supportedGroups":
    case "signatureAlgorithms":
    case "supportedVersions":
      return 2 + 2 * rule.codes.length;
    case "keyShare":
      return 2 + sum(
        rule.groups,
        (group) => 4 + (group === GREASE ? 1 : KEY_SHARE_LENGTH[group]),
      );
    case "encryptedClientHello":
      return 42 + Math.max(...rule.payloadBytes);
  }
}

/** A length of 2 bytes, then entries behind 1 byte of length each. */
function listLength(entries: readonly { readonly length: number }[]): number {
  return 2 + sum(entries, ({ length }) => 1 + length);
}

function sum<T>(list: readonly T[], of: (entry: T) => number): number {
  return list.reduce((total, entry) => total + of(entry), 0);
}
