import { type Bytes, DecodeError } from "../../core/bytes/mod.ts";
import {
  decodeResponseHead,
  encodeResponseHead,
} from "../../core/transport/mod.ts";
import { HtxError } from "../error.ts";
import { BodyFrame } from "./body_frame.ts";
import {
  type BodyLength,
  encodeProxyError,
  endToEndFields,
} from "./connect.ts";
import { BufferedDuplex, type Duplex } from "../duplex.ts";

/** Most interim (1xx) responses passed on before the final one. */
const INTERIM_LIMIT = 16;

/**
 * The client of one HTTP request: reads give the request's body, and what comes behind it is dropped (RFC 9112 §9.6).
 *
 * Its reads throw a `DecodeError` if the body's chunks are malformed, `HtxError` `reset` if it is cut short.
 */
export function requestBody(client: Duplex, body: BodyLength): Duplex {
  const frame = new BodyFrame(body);
  return {
    async read(buffer) {
      for (;;) {
        const behind = frame.done;
        const n = await client.read(buffer);
        if (n === null && !behind) {
          throw new HtxError("reset", "Request body cut short");
        }
        if (n === null) return null;
        if (!behind) return frame.take(buffer.subarray(0, n));
      }
    },
    write: (bytes) => client.write(bytes),
    closeWrite: () => client.closeWrite(),
    close: () => client.close(),
  };
}

/**
 * The origin of one HTTP request: reads give its response with hop-by-hop fields gone and `Connection: close`, or a 502
 * if it is none.
 */
export function originResponse(origin: Duplex): Duplex {
  const buffered = new BufferedDuplex(origin);
  let ready: Uint8Array = new Uint8Array(0);
  let interim = 0;
  let state: "head" | "body" | "failed" = "head";

  async function nextHead(): Promise<Bytes> {
    try {
      const decoded = await buffered.take(decodeResponseHead);
      const status = decoded?.head.status ?? 0;
      if (!decoded || status === 101 || interim > INTERIM_LIMIT) {
        throw new DecodeError("HTTP response", "no final head");
      }
      const fields = endToEndFields(decoded.head.fields);
      if (status < 200) {
        interim++;
        return encodeResponseHead({ ...decoded.head, fields });
      }
      state = "body";
      return encodeResponseHead({
        ...decoded.head,
        fields: [...fields, ["Connection", "close"]],
      });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      state = "failed";
      return encodeProxyError(502, "the origin sent no HTTP response");
    }
  }

  return {
    async read(buffer) {
      if (ready.length === 0) {
        if (state === "body") return await buffered.read(buffer);
        if (state === "failed") return null;
        ready = await nextHead();
      }
      const n = Math.min(buffer.length, ready.length);
      buffer.set(ready.subarray(0, n));
      ready = ready.subarray(n);
      return n;
    },
    write: (bytes) => origin.write(bytes),
    closeWrite: () => origin.closeWrite(),
    close: () => origin.close(),
  };
}
