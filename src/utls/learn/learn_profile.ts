import type { HeaderField } from "../../http2/mod.ts";
import { differencesFrom } from "../compare.ts";
import { type Navigation, navigationFields } from "../navigation.ts";
import { parseProfile, type Profile } from "../profile.ts";
import { profileJson } from "../profile_json.ts";
import {
  constantOf,
  type LearnedHello,
  type LearnedStart,
  unexplained,
} from "./evidence.ts";
import { learnHelloRules } from "./learn_hello_rules.ts";
import { learnHttp2 } from "./learn_http2.ts";

/** What is known of a browser besides what it sends. */
export interface LearnedSource {
  /** Its full version, e.g. `156.0.8078.79`. */
  readonly build: string;
  /** Which distribution of it. */
  readonly channel: string;
}

/**
 * Infers the profile of a browser from hellos that it was seen to send and from the start of HTTP/2 connections.
 *
 * The result passes {@link parseProfile}, and every hello given is one that it makes.
 *
 * @throws {UtlsError} `capture` if something fits no rule, or a kind of hello is missing: `page`, `websocket`, `address`, `retry`.
 */
export function learnProfile(
  learned: readonly LearnedHello[],
  starts: readonly LearnedStart[],
  { build, channel }: LearnedSource,
): Profile {
  const version = Number(build.match(/^\d{1,4}(?=\.)/)?.[0]);
  const { http2, navigation } = learnHttp2(starts);
  const recordVersion = (isRetry: boolean) =>
    constantOf(
      isRetry ? "record version of retries" : "record version of hellos",
      learned.filter(({ kind }) => (kind === "retry") === isRetry)
        .map(({ recordVersion }) => recordVersion),
    );
  const profile: Profile = {
    family: `${version}`,
    version,
    versions: [version, version],
    source: {
      kind: "capture",
      build,
      channel,
      trials: [],
      aesHardware: true,
      notes: learned.some(({ aesHardware }) => !aesHardware)
        ? ""
        : "The order of cipher suites without AES instructions is BoringSSL's, not seen.",
    },
    record: { hello: recordVersion(false), retry: recordVersion(true) },
    hello: learnHelloRules(learned),
    http2,
    navigation,
  };
  const checked = parseProfile(profileJson({
    ...profile,
    navigation: withVersion(profile),
  }));
  for (const { hello, kind } of learned) {
    const [difference] = differencesFrom(checked, hello);
    if (difference) throw unexplained(`${difference.part} of a ${kind}`);
  }
  return checked;
}

/** The navigation with the version, where the value follows from it, left open. */
function withVersion(profile: Profile): Navigation {
  const seen = profile.navigation.fields;
  const hint = seen.find(([name]) => name === "sec-ch-ua")?.[1] ?? "";
  const brand = [...hint.matchAll(/"([^"]+)";v="(\d+)"/g)]
    .filter(([, name, major]) =>
      name !== "Chromium" && Number(major) === profile.version
    ).map(([, name]) => name!)[0];
  const open: Navigation = {
    ...(brand !== undefined && { brand }),
    fields: seen.map(([name, value]): HeaderField => [
      name,
      name === "sec-ch-ua"
        ? "{brands}"
        : value.replaceAll(`/${profile.version}.`, "/{version}."),
    ]),
  };
  const target = { authority: "", path: "/" };
  const made = navigationFields({ ...profile, navigation: open }, target)
    .filter(([name]) => !name.startsWith(":"));
  return {
    ...open,
    fields: open.fields.map((field, i) =>
      made[i]![1] === seen[i]![1] ? field : seen[i]!
    ),
  };
}
