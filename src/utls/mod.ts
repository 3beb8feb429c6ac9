/**
 * ClientHellos: the codec, the profiles of real browsers to draw them from, and the fingerprints others take of them.
 *
 * @module
 */
export { type CryptoProvider, defaultProvider } from "../core/crypto/mod.ts";
export {
  type CaptureDrop,
  type Endpoint,
  isCapture,
  type NoTransport,
} from "../core/capture/mod.ts";
export { akamai, akamaiText, MAX_FIRST_FRAMES } from "./akamai.ts";
export type {
  DropReason,
  FoundAt,
  FoundClientHello,
  FoundHello,
  FoundServerHello,
} from "./capture/found_hello.ts";
export { type CaptureHellos, hellosIn } from "./capture/hellos_in.ts";
export { type ClientStream, writePcap } from "./capture/write_pcap.ts";
export {
  CLIENT_HELLO,
  type ClientHello,
  decodeClientHello,
  encodeClientHello,
  extensionOf,
} from "./client_hello.ts";
export {
  compareHello,
  type Difference,
  differencesFrom,
  type Match,
} from "./compare.ts";
export { drawOffer, type DrawOptions } from "./draw_offer.ts";
export {
  decodeExtensions,
  type Extension,
  MAX_EXTENSIONS,
} from "./hello_parts.ts";
export { UtlsError, type UtlsErrorCode } from "./error.ts";
export {
  explainClientHello,
  type ExplainedField,
  explainServerHello,
} from "./explain.ts";
export type { Variation } from "./explain_extension.ts";
export { EXTENSION } from "./extension.ts";
export {
  type AlpnRule,
  type ApplicationSettingsRule,
  type BareRule,
  type Code,
  type CodesRule,
  type ConstantRule,
  type EncryptedClientHelloRule,
  type ExtensionRule,
  GREASE,
  type GreaseRule,
  type KeyShareRule,
  type Scope,
  type TrustAnchorsRule,
} from "./extension_rule.ts";
export { firstHello } from "./first_hello.ts";
export { isGrease } from "./grease.ts";
export { hostName, serverNameFor } from "./host_name.ts";
export { ja3, ja3n, ja3nText, ja3s, ja3sText, ja3Text } from "./ja3.ts";
export { ja4, ja4o, ja4r, ja4ro, type Ja4Transport } from "./ja4.ts";
export {
  generateKeyShare,
  GROUP,
  type Group,
  type KeyShare,
} from "./key_share.ts";
export {
  type HelloKind,
  kindOf,
  offeredPskOf,
  prefersAes,
  serverNameOf,
} from "./hello_kind.ts";
export {
  drawSettings,
  type FirstPart,
  type Http2Habits,
  type PseudoField,
} from "./http2_habits.ts";
export {
  type Navigation,
  navigationFields,
  type NavigationTarget,
} from "./navigation.ts";
export type { LearnedHello, LearnedStart } from "./learn/evidence.ts";
export {
  learnHelloRules,
  MIN_LEARNED_PAGES,
} from "./learn/learn_hello_rules.ts";
export { type LearnedHttp2, learnHttp2 } from "./learn/learn_http2.ts";
export { type LearnedSource, learnProfile } from "./learn/learn_profile.ts";
export type { Offer, OfferedPsk } from "./offer.ts";
export { drawProcess, type ProcessDraws } from "./process_draws.ts";
export {
  type HelloRules,
  parseProfile,
  type Profile,
  type ProfileSource,
  type RecordVersions,
} from "./profile.ts";
export { profileJson } from "./profile_json.ts";
export { profileFamilies, profileOf, profileVersions } from "./profile_of.ts";
export { retryOffer, type RetryOptions } from "./retry_offer.ts";
export {
  decodeServerHello,
  encodeServerHello,
  HELLO_RETRY_RANDOM,
  isHelloRetryRequest,
  SERVER_HELLO,
  type ServerHello,
} from "./server_hello.ts";
export type { Classification } from "./verify/classifier.ts";
export { MAX_CORPUS_ROWS, parseCorpus } from "./verify/corpus.ts";
export {
  GREASE_FIRST,
  GREASE_LATER,
  type Observation,
  observe,
  type RandomField,
} from "./verify/observation.ts";
export {
  type Check,
  checkProperties,
  FALSE_ALARM_RATE,
  MIN_SAMPLES,
  type Verdict,
  verifyHellos,
} from "./verify/verdict.ts";
