import { encodeHex } from "../../core/bytes/mod.ts";
import type { ClientHello } from "../client_hello.ts";
import { EXTENSION } from "../extension.ts";
import {
  type Code,
  type ExtensionRule,
  GREASE,
  type Scope,
} from "../extension_rule.ts";
import { isGrease } from "../grease.ts";
import type { HelloRules } from "../profile.ts";
import {
  constantOf,
  type LearnedHello,
  MIN_P,
  requireUniform,
  scopeOf,
  unexplained,
} from "./evidence.ts";
import { evenness, parityOf } from "../verify/order_properties.ts";
import { codesOf, learnExtensionRule } from "./learn_extension_rule.ts";
import { requireDraws } from "./require_draws.ts";

/** Fewer hellos of pages show too little of what is drawn. */
export const MIN_LEARNED_PAGES = 64;

/**
 * Infers how a browser makes its hellos: what never varies is constant, what varies must be drawn as a rule of {@link HelloRules}
 * says, GREASE and permutations evenly.
 *
 * Extensions that are permuted are listed by number, since their place in the browser's own table does not show. Padding is
 * seen only in hellos that need it. The order of cipher suites on the CPU that was not tried is that of BoringSSL.
 *
 * @throws {UtlsError} `capture` if something fits no rule, or a kind of hello that is needed is missing: at least
 * {@link MIN_LEARNED_PAGES} of pages, and some of WebSockets and of IP addresses.
 */
export function learnHelloRules(learned: readonly LearnedHello[]): HelloRules {
  const usual = learned.filter(({ aesHardware, kind }) =>
    aesHardware && kind !== "retry"
  );
  const pages = usual.filter(({ kind }) => kind === "page");
  if (pages.length < MIN_LEARNED_PAGES) {
    throw unexplained(`${pages.length} hellos of pages, too few,`);
  }
  const hellos = usual.map(({ hello }) => hello);
  requireDraws(hellos);
  const without = learned.filter(({ aesHardware }) => !aesHardware)
    .map(({ hello }) => hello);
  const cipherSuites = codesOf(
    "cipher_suites",
    hellos.map(({ cipherSuites }) => cipherSuites),
  );
  const extensionOrder = learnOrder(pages);
  return {
    legacyVersion: constantOf(
      "legacy_version",
      hellos.map(({ legacyVersion }) => legacyVersion),
    ),
    sessionIdBytes: constantOf(
      "length of legacy_session_id",
      hellos.map(({ sessionId }) => sessionId.length),
    ),
    cipherSuites,
    cipherSuitesWithoutAesHardware: without.length > 0
      ? codesOf(
        "cipher_suites without AES instructions",
        without.map(({ cipherSuites }) => cipherSuites),
      )
      : chaChaFirst(cipherSuites),
    compressionMethods: Uint8Array.from(constantOf(
      "legacy_compression_methods",
      hellos.map(({ compressionMethods }) => compressionMethods),
      encodeHex,
    )),
    extensionOrder,
    extensions: learnExtensions(extensionOrder, learned),
    padding: pages.some(({ hello }) =>
      typesOf(hello).at(-1) === EXTENSION.padding
    ),
  };
}

/** Extensions that stand behind those that are permuted. */
const LAST: readonly number[] = [EXTENSION.padding, EXTENSION.preSharedKey];

/** Types in the order sent, without those whose place is fixed: GREASE, padding, pre_shared_key. */
function movingTypes(hello: ClientHello): number[] {
  return typesOf(hello).filter((type) =>
    !isGrease(type) && !LAST.includes(type)
  );
}

function typesOf({ extensions = [] }: ClientHello): number[] {
  return extensions.map(({ type }) => type);
}

function learnOrder(pages: readonly LearnedHello[]): Scope {
  const orders = pages.map(({ hello }) => movingTypes(hello));
  constantOf(
    "the set of extensions",
    orders,
    (order) => order.toSorted().join(),
  );
  const scope = scopeOf(
    pages.map((page, i) => ({
      process: page.process,
      text: orders[i]!.join(),
    })),
  );
  if (scope !== "connection") return scope;
  for (const type of orders[0]!) {
    requireUniform(
      `the place of extension ${type}`,
      orders.map((order) => order.indexOf(type)),
      orders[0]!.length,
    );
  }
  const whole = evenness("", orders);
  if (!whole || whole.p < MIN_P) {
    throw unexplained("the order of extensions: not drawn evenly");
  }
  requireUniform("the order's parity", orders.map(parityOf), 2);
  return scope;
}

function learnExtensions(
  order: Scope,
  learned: readonly LearnedHello[],
): ExtensionRule[] {
  const [page] = learned.filter(({ kind, aesHardware }) =>
    kind === "page" && aesHardware
  ).map(({ hello }) => hello);
  const types = movingTypes(page!);
  const withCookie = learned.map(({ hello }) => movingTypes(hello))
    .find((types) => types.includes(EXTENSION.cookie));
  if (order !== "build") types.push(EXTENSION.cookie);
  else {types.splice(
      withCookie?.indexOf(EXTENSION.cookie) ?? types.length,
      0,
      EXTENSION.cookie,
    );}
  if (order !== "build") types.sort((a, b) => a - b);
  const rules = types.map((type) => learnExtensionRule(type, learned));
  const { first, last } = learnGrease(learned);
  return [...first, ...rules, ...last];
}

/** The rules of a GREASE extension in front of the others, and of one behind them. */
function learnGrease(learned: readonly LearnedHello[]) {
  const lists = learned.map(({ hello }) =>
    (hello.extensions ?? []).filter(({ type }) => !LAST.includes(type))
  );
  const at = (place: 0 | -1): ExtensionRule[] => {
    const found = lists.map((list) => list.at(place))
      .filter((each) => each && isGrease(each.type)).map((each) => each!.data);
    if (found.length === 0) return [];
    const where = place === 0 ? "first" : "last";
    if (found.length < lists.length) {
      throw unexplained(`the ${where} extension`);
    }
    const data = Uint8Array.from(
      constantOf(`data of the ${where} extension`, found, encodeHex),
    );
    return [{ rule: "grease", data }];
  };
  return { first: at(0), last: at(-1) };
}

/** BoringSSL's order for a CPU without AES instructions: in TLS 1.3's and the older suites, ChaCha20-Poly1305 first. */
function chaChaFirst(suites: readonly Code[]): Code[] {
  const rank = (suite: Code) => {
    if (suite === GREASE) return 0;
    const isTls13 = suite >> 8 === 0x13;
    const isChaCha = CHACHA20_SUITES.includes(suite);
    return (isTls13 ? 1 : 3) + (isChaCha ? 0 : 1);
  };
  return suites.toSorted((a, b) => rank(a) - rank(b));
}

const CHACHA20_SUITES: readonly number[] = [0x1303, 0xcca8, 0xcca9];
