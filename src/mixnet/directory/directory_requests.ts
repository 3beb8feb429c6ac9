import { type Clock, systemClock } from "../../core/async/mod.ts";
import { type Bytes, encodeCbor } from "../../core/bytes/mod.ts";
import type { HttpHandler } from "../../core/transport/mod.ts";
import type { DirectoryAuthority } from "./directory_authority.ts";
import { DirectoryError, type DirectoryErrorCode } from "./error.ts";
import type { EvidenceKind } from "./evidence.ts";
import { MAX_DESCRIPTOR_LENGTH } from "./node_descriptor.ts";

/** Options of {@link directoryRequests}. */
export interface DirectoryRequestsOptions {
  /** Whom requests are for. */
  readonly authority: Pick<
    DirectoryAuthority,
    "submit" | "documentBytes" | "descriptor" | "known" | "evidence"
  >;
  /** Descriptors that it takes in a second; 200 by default, and 4,096 at once. */
  readonly descriptorsPerSecond?: number;
  /** Most descriptors that are arriving at a time; 1,024 by default. */
  readonly maxUploads?: number;
  /** How long one may take to arrive, in milliseconds; 10,000 by default. */
  readonly uploadTimeoutMs?: number;
  /** Time. */
  readonly clock?: Clock;
}

const BURST = 4_096;
const PATH =
  /^\/(document|descriptor|rolls|votes|endorsements|evidence)\/([0-9a-f]{1,64})$/;
const KINDS: Readonly<Record<string, EvidenceKind>> = {
  rolls: "roll",
  votes: "vote",
  endorsements: "endorsement",
};
const STATUS: Partial<Record<DirectoryErrorCode, number>> = {
  not_admitted: 403,
  stale: 409,
  full: 503,
};

/**
 * Answers HTTP requests to an authority.
 *
 * ```text
 * POST /descriptor              a signed descriptor: 204; 400 with the error's code, 403 not registered, 409 over or there is a newer
 *                               one, 413 too long or too slow, 429 too many, 503 full
 * GET  /document/<epoch>        the signed document
 * GET  /descriptor/<sha-256>    a descriptor
 * GET  /rolls/<epoch>           the rolls that are known, in a CBOR array
 * GET  /votes/<epoch>           the votes
 * GET  /endorsements/<epoch>    the endorsements
 * GET  /evidence                the keys of the authorities that are convicted, in a CBOR array
 * GET  /evidence/<key>          what convicts the authority of this key, in a CBOR array
 * ```
 *
 * What is not there, or not yet, is 404.
 */
export function directoryRequests(
  {
    authority,
    descriptorsPerSecond = 200,
    maxUploads = 1_024,
    uploadTimeoutMs = 10_000,
    clock = systemClock,
  }: DirectoryRequestsOptions,
): HttpHandler {
  let credit = BURST;
  let sinceMs = clock.now();
  let uploads = 0;

  const upload = async (request: Request): Promise<Response> => {
    const nowMs = clock.now();
    credit = Math.min(
      BURST,
      credit + (nowMs - sinceMs) / 1000 * descriptorsPerSecond,
    );
    sinceMs = nowMs;
    if (credit < 1) return answer(429);
    if (uploads >= maxUploads) return answer(503);
    credit--;
    uploads++;
    try {
      const bytes = await readBody(request, clock, uploadTimeoutMs);
      if (!bytes) return answer(413);
      authority.submit(bytes);
      return answer(204);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      return answer(STATUS[error.code] ?? 400, error.code);
    } finally {
      uploads--;
    }
  };

  return (request) => {
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && pathname === "/descriptor") {
      return upload(request);
    }
    const [, what, name = ""] = PATH.exec(pathname) ?? [];
    if (request.method !== "GET") return answer(405);
    const found = pathname === "/evidence"
      ? encodeCbor([...authority.evidence.convicted])
      : resource(authority, what, name);
    return found
      ? new Response(found, {
        headers: {
          "content-type": "application/octet-stream",
          "content-length": String(found.length),
        },
      })
      : answer(404);
  };
}

function resource(
  authority: DirectoryRequestsOptions["authority"],
  what: string | undefined,
  name: string,
): Bytes | undefined {
  if (what === "descriptor" || what === "evidence") {
    if (name.length !== 64) return undefined;
    if (what === "descriptor") return authority.descriptor(name);
    const evidence = authority.evidence.about(name);
    return evidence.length > 0 ? encodeCbor([...evidence]) : undefined;
  }
  if (!what || !/^[0-9]{1,13}$/.test(name)) return undefined;
  const epoch = Number(name);
  const kind = KINDS[what];
  return kind ? authority.known(kind, epoch) : authority.documentBytes(epoch);
}

function answer(status: number, text?: string): Response {
  return new Response(status === 204 ? null : `${text ?? status}\n`, {
    status,
  });
}

/** The body; `undefined` if it is too long, or takes too long. */
async function readBody(
  request: Request,
  clock: Clock,
  timeoutMs: number,
): Promise<Bytes | undefined> {
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array(0);
  let isLate = false;
  const cancelTimer = clock.setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  const bytes = new Uint8Array(MAX_DESCRIPTOR_LENGTH);
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) return undefined;
      if (done) return bytes.slice(0, length);
      if (length + value.length > bytes.length) {
        reader.cancel().catch(() => {});
        return undefined;
      }
      bytes.set(value, length);
      length += value.length;
    }
  } finally {
    cancelTimer();
  }
}
