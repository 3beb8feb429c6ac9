/**
 * What a server may be asked to connect to. Nothing is allowed but by a rule, `host:ports`:
 *
 * ```text
 * host   example.com         this name
 *        *.example.com       every name below it
 *        192.0.2.7           this address
 *        [2001:db8::1]       this address
 *        10.0.0.0/8          every address in this network
 *        [2001:db8::/32]     every address in this network
 *        *                   every name and every public address
 * ports  443                 8000-8999                 *
 * ```
 *
 * A target given as an address must match an address rule or `*`. A target given as a name is resolved first, and what is
 * dialled is one of the addresses checked, never the name again; so an answer that changes in between (DNS rebinding)
 * has no effect. Of the addresses a name resolves to, each must be allowed on its own:
 *
 * - a public one by a rule for the name, by `*`, or by an address rule;
 * - a private one (loopback, RFC 1918, RFC 4193, RFC 6598) by a rule for exactly this name or by an address rule. Listing a
 *   name trusts whoever answers for it;
 * - a reserved one (link-local and with it cloud metadata, unspecified, multicast, documentation, and IPv6 forms that embed
 *   an IPv4 address) by an address rule only.
 *
 * A network rule counts for private or reserved addresses only if the whole network is of that kind: `10.0.0.0/8` allows
 * private addresses, `0.0.0.0/0` does not.
 *
 * @module
 */
import { type AddressKind, classify, Network } from "./network.ts";
import { parseIp } from "../../core/bytes/mod.ts";
import { canonicalHost, parsePort, type Target } from "./target.ts";

/** Parsed allow rules. */
export class AllowList {
  readonly #rules: readonly Rule[];

  /**
   * Parses rules; without any, nothing is allowed.
   *
   * @example
   * ```ts
   * import { AllowList } from "./allow_list.ts";
   * import { assertEquals } from "@std/assert";
   *
   * const allowed = new AllowList(["*.example.com:443"]);
   * const target = { host: "www.example.com", port: 443 };
   * assertEquals(allowed.admit(target, ["93.184.215.14", "127.0.0.1"]), ["93.184.215.14"]);
   * ```
   *
   * @throws {TypeError} If a rule is malformed; the message names it.
   */
  constructor(rules: readonly string[]) {
    this.#rules = rules.map(parseRule);
  }

  /** Whether some answer for `target` could be allowed, so that a hopeless name is not even looked up. */
  mayAdmit(target: Target): boolean {
    return this.#rules.some((rule) =>
      hasPort(rule, target.port) &&
      (rule.network !== undefined || namesHost(rule, target.host))
    );
  }

  /** Those of `addresses`, to which `target` resolves (itself if it is an address), that may be dialled, in order. */
  admit(target: Target, addresses: readonly string[]): string[] {
    const rules = this.#rules.filter((rule) => hasPort(rule, target.port));
    return addresses.filter((address) => {
      const ip = parseIp(address);
      if (!ip) return false;
      const kind = classify(ip);
      return rules.some((rule) =>
        rule.network
          ? rule.network.contains(ip) &&
            (kind === "public" || rule.network.kind === kind)
          : namesHost(rule, target.host) && vouchesFor(rule, kind)
      );
    });
  }
}

interface Rule {
  readonly firstPort: number;
  readonly lastPort: number;
  /** Set for address rules. */
  readonly network?: Network;
  /** `*`, `.example.com` for a suffix, or a name; empty for address rules. */
  readonly name: string;
}

const RULE_REGEXP = /^(?:\[([^[\]]+)\]|([^[\]:]+)):([0-9]+|[0-9]+-[0-9]+|\*)$/;

function parseRule(text: string): Rule {
  const match = text.match(RULE_REGEXP);
  if (!match) throw invalid(text, "want host:port, host:first-last or host:*");
  const [, bracketed, plain, portText] = match;
  const ports = parsePorts(portText!);
  if (!ports) throw invalid(text, "ports must be in 1..65535, first ≤ last");
  const host = bracketed ?? plain!;
  const network = Network.parse(host);
  if (network) {
    if (host.includes(":") !== (bracketed !== undefined)) {
      throw invalid(text, "brackets are for IPv6");
    }
    return { ...ports, network, name: "" };
  }
  if (bracketed !== undefined || host.includes("/")) {
    throw invalid(text, "not an address or a network without host bits");
  }
  if (host === "*") return { ...ports, name: host };
  const isSuffix = host.startsWith("*.");
  const name = canonicalHost(isSuffix ? host.slice(2) : host);
  if (name === undefined || parseIp(name)) throw invalid(text, "not a name");
  return { ...ports, name: isSuffix ? `.${name}` : name };
}

function parsePorts(text: string) {
  if (text === "*") return { firstPort: 1, lastPort: 65_535 };
  const [first, last = first] = text.split("-");
  const [firstPort, lastPort] = [parsePort(first!), parsePort(last!)];
  return firstPort && lastPort && firstPort <= lastPort
    ? { firstPort, lastPort }
    : undefined;
}

function hasPort({ firstPort, lastPort }: Rule, port: number): boolean {
  return port >= firstPort && port <= lastPort;
}

function namesHost({ name }: Rule, host: string): boolean {
  if (name === "*") return true;
  if (name.startsWith(".")) return host.endsWith(name);
  return host === name;
}

function vouchesFor({ name }: Rule, kind: AddressKind): boolean {
  const isExact = name !== "*" && !name.startsWith(".");
  return kind === "public" || kind === "private" && isExact;
}

function invalid(rule: string, reason: string): TypeError {
  return new TypeError(`Cannot use allow rule "${rule}": ${reason}`);
}
