import type { Bytes } from "../../core/bytes/mod.ts";
import {
  decodeRequestHead,
  fieldValue,
  type HttpFields,
  type RequestHead,
} from "../../core/transport/mod.ts";
import { Assembly } from "../cla/assembly.ts";
import type { ByteBudget } from "../cla/byte_budget.ts";
import { ContactError } from "../cla/contact_error.ts";
import { HeadGatherer } from "./head_gatherer.ts";
import { pathOfTarget } from "./push_place.ts";
import type { PushStatus } from "./push_status.ts";

/** Options of {@link PushDecoder}. */
export interface PushDecoderOptions {
  /** The path that takes bundles. */
  readonly path: string;
  /** Most bytes of a bundle. */
  readonly maxBundleBytes: number;
  /** What bundles that come take room of, until they are freed. */
  readonly budget: ByteBudget;
}

/** What a peer's bytes complete. */
export type PushEvent =
  | {
    readonly kind: "bundle";
    readonly bytes: Bytes;
    /** Gives its room back to the budget, once. */
    readonly free: () => void;
    /** Whether the peer wants the connection to end behind the answer. */
    readonly isLast: boolean;
  }
  | { readonly kind: "continue" } // the peer waits for 100 before it sends the bundle
  | {
    /** A request that is answered without asking the node. */
    readonly kind: "refused";
    readonly status: PushStatus;
    readonly isLast: boolean;
  };

interface Body {
  /** Absent if there is no room, and what comes is let go. */
  assembly: Assembly | undefined;
  readonly length: number;
  readonly isLast: boolean;
  left: number;
}

/**
 * Takes the bytes of a connection as they come and gives the bundles that are pushed: `POST` to the path, with a Content-Length, as
 * many behind each other as the peer likes (RFC 9112 §9.3.2).
 */
export class PushDecoder {
  readonly #options: PushDecoderOptions;
  readonly #head = new HeadGatherer(decodeRequestHead);
  #body: Body | undefined;
  #isOver = false;

  /** Starts before a request. */
  constructor(options: PushDecoderOptions) {
    this.#options = options;
  }

  /** Whether what came ends inside of a request. */
  get isInside(): boolean {
    return !this.#isOver &&
      (this.#body !== undefined || this.#head.isInside);
  }

  /** Gives what `bytes` complete; nothing more behind an event that is the last. */
  *decode(bytes: Uint8Array): Generator<PushEvent, void> {
    for (let rest = bytes; !this.#isOver;) {
      if (!this.#body) {
        if (rest.length === 0) return;
        const gathered = this.#gather(rest);
        if (!gathered) return;
        if ("kind" in gathered) return yield gathered;
        rest = gathered.rest;
        const fault = this.#begin(gathered.head);
        if (fault !== undefined) {
          this.stop();
          return yield { kind: "refused", status: fault, isLast: true };
        }
        if (expectsContinue(gathered.head.fields)) yield { kind: "continue" };
      }
      const body = this.#body!;
      const data = rest.subarray(0, body.left);
      rest = rest.subarray(data.length);
      body.left -= data.length;
      if (body.assembly && !body.assembly.append(data, body.length)) {
        body.assembly.free();
        body.assembly = undefined;
      }
      if (body.left > 0) return;
      yield this.#finish(body);
    }
  }

  /** Ignores what comes from now on, and lets go of what came in part. */
  stop(): void {
    this.#isOver = true;
    this.#body?.assembly?.free();
    this.#body = undefined;
  }

  #gather(bytes: Uint8Array) {
    try {
      return this.#head.add(bytes);
    } catch (error) {
      if (!(error instanceof ContactError)) throw error;
      this.stop();
      return { kind: "refused", status: 400, isLast: true } as const;
    }
  }

  /** Begins the body of a request, or says what is wrong with it. */
  #begin({ method, target, fields }: RequestHead): PushStatus | undefined {
    if (pathOfTarget(target) !== this.#options.path) return 404;
    if (method !== "POST") return 405;
    // Browsers send it with every POST: web pages have no bundles for us.
    if (has(fields, "origin")) return 403;
    const text = fieldValue(fields, "content-length");
    if (has(fields, "transfer-encoding") || text === undefined) return 411;
    if (!/^[0-9]{1,15}$/.test(text)) return 400;
    const length = Number(text);
    if (length > this.#options.maxBundleBytes) return 413;
    this.#body = {
      assembly: new Assembly(this.#options.budget),
      isLast: /(?:^|[\s,])close(?:[\s,]|$)/i.test(
        fieldValue(fields, "connection") ?? "",
      ),
      ...{ length, left: length },
    };
  }

  #finish({ assembly, isLast }: Body): PushEvent {
    this.#body = undefined;
    if (isLast) this.#isOver = true;
    if (!assembly) return { kind: "refused", status: 503, isLast };
    return {
      kind: "bundle",
      bytes: assembly.finish(),
      free: () => assembly.free(),
      isLast,
    };
  }
}

function has(fields: HttpFields, name: string): boolean {
  return fields.some(([field]) => field.toLowerCase() === name);
}

function expectsContinue(fields: HttpFields): boolean {
  return fieldValue(fields, "expect")?.toLowerCase() === "100-continue";
}
