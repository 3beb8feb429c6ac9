import { encodeHex } from "../core/bytes/mod.ts";
import { EXTENSION } from "./extension.ts";
import { type Code, type ExtensionRule, GREASE } from "./extension_rule.ts";
import type { Profile } from "./profile.ts";

/** The JSON value that {@link parseProfile} reads as `profile`. */
export function profileJson(profile: Profile): Record<string, unknown> {
  const { versions, source, record, hello, http2, navigation } = profile;
  return {
    schema: 1,
    versions,
    source,
    record: { hello: hex16(record.hello), retry: hex16(record.retry) },
    hello: {
      ...hello,
      legacyVersion: hex16(hello.legacyVersion),
      cipherSuites: hello.cipherSuites.map(codeText),
      cipherSuitesWithoutAesHardware: hello.cipherSuitesWithoutAesHardware
        .map(codeText),
      compressionMethods: encodeHex(hello.compressionMethods),
      extensions: hello.extensions.map(ruleJson),
    },
    http2,
    navigation,
  };
}

function hex16(value: number): string {
  return value.toString(16).padStart(4, "0");
}

function codeText(code: Code): string {
  return code === GREASE ? code : hex16(code);
}

function ruleJson(rule: ExtensionRule): Record<string, unknown> {
  if (rule.rule === "grease") {
    return { name: rule.rule, data: encodeHex(rule.data) };
  }
  const { rule: _, type, ...rest } = rule;
  const known = Object.entries(EXTENSION).find(([, value]) => value === type);
  const names = known ? { name: known[0] } : { type };
  if ("data" in rest) return { ...names, data: encodeHex(rest.data) };
  if ("codes" in rest) return { ...names, codes: rest.codes.map(codeText) };
  if ("groups" in rest) return { ...names, groups: rest.groups.map(codeText) };
  if ("ids" in rest) return { ...names, ...rest, ids: rest.ids.map(encodeHex) };
  return { ...names, ...rest };
}
