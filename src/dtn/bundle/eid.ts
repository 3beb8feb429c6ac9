import { MAX_TEXT_BYTES } from "./cbor_cursor.ts";
import { BundleError } from "./error.ts";

/** URI schemes of endpoint IDs. */
export type EidScheme = "dtn" | "ipn";

const DTN_SSP = /^\/\/[A-Za-z0-9._-]+\/[!-~]*$/;
const DTN_SSP_WITHOUT_SLASH = /^\/\/[A-Za-z0-9._-]+$/;
const IPN = /^ipn:(?:(\d{1,10})\.)?(\d{1,10}|!)\.(\d{1,10})$/;
const LIMIT = 2 ** 32;
/** The node number that stands for the node itself (RFC 9758 §3.4.2). */
const LOCAL_NODE = LIMIT - 1;

/**
 * An endpoint ID (RFC 9171 §4.2.5): `dtn:none`, `dtn://node/demux`, or `ipn:node.service`, `ipn:allocator.node.service` (RFC 9758).
 *
 * ```ts
 * import { Eid } from "../mod.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * assertEquals(`${Eid.parse("ipn:0.2.1").nodeId()}`, "ipn:2.0");
 * assert(Eid.parse("dtn://relay/in").nodeId().equals(Eid.parse("dtn://relay/")));
 * ```
 */
export class Eid {
  /** `dtn:none`, the null endpoint. */
  static readonly NONE: Eid = new Eid("dtn", "none", 0, 0, 0, 0);

  /** URI scheme. */
  readonly scheme: EidScheme;
  /** Scheme-specific part of a dtn URI: `none` or `//node/demux`; empty with ipn. */
  readonly ssp: string;
  /** Allocator identifier of an ipn URI (RFC 9758 §3.1), 0 by default. */
  readonly allocator: number;
  /** Node number of an ipn URI. */
  readonly nodeNumber: number;
  /** Service number of an ipn URI. */
  readonly service: number;
  /** How many numbers the CBOR form of an ipn URI has, 2 or 3 (RFC 9758 §6.1); both name the same endpoint. 0 with dtn. */
  readonly elements: number;

  private constructor(
    scheme: EidScheme,
    ssp: string,
    allocator: number,
    nodeNumber: number,
    service: number,
    elements: number,
  ) {
    this.scheme = scheme;
    this.ssp = ssp;
    this.allocator = allocator;
    this.nodeNumber = nodeNumber;
    this.service = service;
    this.elements = elements;
  }

  /**
   * The endpoint ID with the scheme-specific part `ssp`, as `none` or `//node/demux`, of at most 1,024 bytes.
   *
   * @param withoutSlash Whether `//node` is taken too.
   * @throws {BundleError} `eid` if `ssp` is not as RFC 9171 §4.2.5.1.1 says.
   */
  static dtn(ssp: string, withoutSlash = false): Eid {
    if (ssp === "none") return Eid.NONE;
    if (ssp.length > MAX_TEXT_BYTES) {
      throw new BundleError("eid", `An endpoint ID of ${ssp.length} bytes`);
    }
    if (
      !DTN_SSP.test(ssp) && !(withoutSlash && DTN_SSP_WITHOUT_SLASH.test(ssp))
    ) {
      throw new BundleError("eid", "A dtn URI must be dtn://node/demux");
    }
    return new Eid("dtn", ssp, 0, 0, 0, 0);
  }

  /**
   * The endpoint ID of three numbers.
   *
   * @param elements How many numbers its CBOR form has.
   * @throws {BundleError} `eid` if one is not in 0 … 2^32 − 1.
   */
  static ipn(
    allocator: number,
    nodeNumber: number,
    service: number,
    elements: 2 | 3 = 2,
  ): Eid {
    if (!isNumber(allocator) || !isNumber(nodeNumber) || !isNumber(service)) {
      throw new BundleError("eid", "Numbers of an ipn URI are below 2^32");
    }
    return new Eid("ipn", "", allocator, nodeNumber, service, elements);
  }

  /**
   * The endpoint ID that `text` writes. Leading zeros are refused, as in RFC 9758 §4.
   *
   * @throws {BundleError} `eid` if it is none.
   */
  static parse(text: string): Eid {
    if (text.startsWith("dtn:")) return Eid.dtn(text.slice(4));
    const [, allocator = "0", node = "", service = ""] = text.match(IPN) ?? [];
    if (node === "" || [allocator, node, service].some(hasLeadingZero)) {
      throw new BundleError("eid", "Want an endpoint ID of scheme dtn or ipn");
    }
    const isLocal = node === "!";
    if (isLocal && allocator !== "0") {
      throw new BundleError("eid", "ipn:! has no allocator");
    }
    return Eid.ipn(
      Number(allocator),
      isLocal ? LOCAL_NODE : Number(node),
      Number(service),
    );
  }

  /** Whether nothing is there: `dtn:none`, `ipn:0.0`, and what RFC 9758 §3.4.1 takes for it, as `ipn:0.7`. */
  get isNull(): boolean {
    return this.scheme === "dtn"
      ? this.ssp === "none"
      : this.nodeNumber === 0 && this.allocator === 0;
  }

  /** Whether it is on whichever node reads it: `ipn:!.7` (RFC 9758 §3.4.2). */
  get isLocal(): boolean {
    return this.scheme === "ipn" && this.allocator === 0 &&
      this.nodeNumber === LOCAL_NODE;
  }

  /** Whether one node at most is registered in it (RFC 9171 §4.2.5.1): not so with a demux that begins with `~`. */
  get isSingleton(): boolean {
    return this.scheme === "ipn" || !/^\/\/[^/]+\/~/.test(this.ssp);
  }

  /** The node's own endpoint: `dtn://node/` or `ipn:node.0`; the null endpoint is its own. */
  nodeId(): Eid {
    if (this.isNull) return this;
    if (this.scheme === "ipn") {
      return this.service === 0
        ? this
        : Eid.ipn(this.allocator, this.nodeNumber, 0);
    }
    const [, , name] = this.ssp.split("/", 3);
    return new Eid("dtn", `//${name}/`, 0, 0, 0, 0);
  }

  /** Whether both name the same endpoint; all null endpoints do. */
  equals(other: Eid): boolean {
    return this === other ||
      this.scheme === other.scheme && this.ssp === other.ssp &&
        this.allocator === other.allocator &&
        this.nodeNumber === other.nodeNumber &&
        this.service === other.service ||
      this.isNull && other.isNull;
  }

  /** The URI; the allocator is left out where it is 0. */
  toString(): string {
    if (this.scheme === "dtn") return `dtn:${this.ssp}`;
    const { allocator, nodeNumber, service } = this;
    if (allocator !== 0) return `ipn:${allocator}.${nodeNumber}.${service}`;
    return `ipn:${nodeNumber === LOCAL_NODE ? "!" : nodeNumber}.${service}`;
  }

  /** The URI. */
  toJSON(): string {
    return this.toString();
  }
}

function isNumber(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < LIMIT;
}

function hasLeadingZero(digits: string): boolean {
  return digits.length > 1 && digits.startsWith("0");
}
