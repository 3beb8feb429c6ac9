import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { FRAME_TYPE, frameHeaderLength } from "../../src/htx/frame.ts";
import { encodeClose, encodePing, encodeU32 } from "../../src/htx/payload.ts";
import { Sealer } from "../../src/htx/protection.ts";
import { testKeys } from "./_mux_pair.ts";
import { mutate } from "./_mutation.ts";

/** A client that owns the keys of a session and seals frames that no honest one would send. */
export class FrameFuzzer {
  readonly #sealer = new Sealer(nodeProvider, testKeys().client, 0);
  readonly #random: (below: number) => number;
  #nextId = 1;

  /** Draws by `random`, see `generator`. */
  constructor(random: (below: number) => number) {
    this.#random = random;
  }

  /** The next frame, sealed: plausible, or one time of 16 damaged before it was sealed. */
  next(): Uint8Array {
    const { type, id, payload } = this.#plausible();
    const damaged = this.#random(16) === 0;
    const body = damaged ? mutate(payload, this.#random) : payload;
    const wrong = damaged && this.#random(4) === 0;
    const streamId = wrong ? this.#random(2 ** this.#random(31)) : id;
    const out = new Uint8Array(body.length + 64);
    const header = frameHeaderLength(type, streamId);
    out.set(body, header);
    const end = this.#sealer.seal(type, streamId, body.length, out, 0);
    const turn = type === FRAME_TYPE.keyUpdate && !damaged;
    if (turn) this.#sealer.rekey(0);
    return out.subarray(0, end);
  }

  #plausible() {
    const random = this.#random;
    const id = 1 + 2 * random(Math.max(1, (this.#nextId - 1) / 2));
    const data = new Uint8Array(1 + random(random(20) ? 64 : 16_384));
    switch (random(16)) {
      case 0:
        return {
          type: FRAME_TYPE.ping,
          id: 0,
          payload: encodePing({ answer: false, token: new Uint8Array(8) }),
        };
      case 1:
        return {
          type: FRAME_TYPE.windowUpdate,
          id: random(2) ? id : 0,
          payload: encodeU32(1 + random(65_535)),
        };
      case 2:
        return {
          type: FRAME_TYPE.keyUpdate,
          id: 0,
          payload: encodeU32(this.#sealer.generation + 1),
        };
      case 3:
        if (random(20) > 0) {
          return { type: FRAME_TYPE.stream, id: 0, payload: data };
        }
        return {
          type: FRAME_TYPE.close,
          id: 0,
          payload: encodeClose({ code: random(20), reason: "over" }),
        };
      case 4:
        return {
          type: FRAME_TYPE.stream,
          id,
          payload: Uint8Array.of(2, 1, random(256)),
        };
      case 5:
        data[0] = Number(random(4) === 0);
        return { type: FRAME_TYPE.stream, id, payload: data };
      case 6:
      case 7: {
        const opened = this.#nextId;
        this.#nextId += 2;
        return {
          type: FRAME_TYPE.stream,
          id: opened,
          payload: Uint8Array.of(0),
        };
      }
      default:
        return { type: FRAME_TYPE.stream, id, payload: data };
    }
  }
}
