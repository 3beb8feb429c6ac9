import { concat } from "../../../src/core/bytes/mod.ts";
import { ByteBudget } from "../../../src/dtn/cla/byte_budget.ts";
import {
  SESSION_DEFAULTS,
  type SessionOptions,
} from "../../../src/dtn/tcpcl/options.ts";
import {
  type SessionEvent,
  TcpclSession,
} from "../../../src/dtn/tcpcl/session.ts";
import {
  encodeMessage,
  type Message,
  type XferSegment,
} from "../../../src/dtn/tcpcl/message.ts";
import { decodeAll } from "./_vectors.ts";

export type Tweaks = Partial<SessionOptions>;

export function makeSession(
  active: boolean,
  tweaks: Tweaks = {},
): TcpclSession {
  return new TcpclSession({
    ...SESSION_DEFAULTS,
    active,
    nodeId: active ? "ipn:1.0" : "ipn:2.0",
    budget: new ByteBudget(2 ** 28),
    ...tweaks,
  }, 0);
}

/** All that a session has to write. */
export function pullAll(session: TcpclSession, now = 0): Uint8Array {
  const chunks = [];
  let chunk;
  while ((chunk = session.pull(now))) chunks.push(chunk.slice());
  return concat(...chunks);
}

/** A session whose other side is the test, which speaks in messages. */
export class LoneSession {
  readonly session: TcpclSession;
  now = 0;

  constructor(active: boolean, tweaks: Tweaks = {}) {
    this.session = makeSession(active, tweaks);
  }

  /** Opens it with a peer of these offers; gives what the session says. */
  open(peer: Partial<Message & { type: "SESS_INIT" }> = {}): SessionEvent[] {
    return this.say({
      type: "SESS_INIT",
      keepaliveS: 0,
      segmentMruBytes: 1_000_000,
      transferMruBytes: 1_000_000,
      nodeId: "ipn:9.0",
      extensions: [],
      ...peer,
    });
  }

  say(...messages: (Message | Uint8Array)[]): SessionEvent[] {
    const bytes = messages.map((each) =>
      each instanceof Uint8Array ? each : encodeMessage(each)
    );
    return this.session.receive(concat(...bytes), this.now);
  }

  /** A segment with its data. */
  segment(
    transferId: bigint,
    data: Uint8Array,
    flags: Partial<Pick<XferSegment, "start" | "end" | "extensions">> = {},
  ): SessionEvent[] {
    return this.say(
      {
        type: "XFER_SEGMENT",
        start: true,
        end: true,
        extensions: [],
        transferId,
        ...flags,
        dataLength: data.length,
      },
      data,
    );
  }

  /** What it says, decoded. */
  hear(): ReturnType<typeof decodeAll> {
    return decodeAll(pullAll(this.session, this.now));
  }
}

/** Two sessions joined by a perfect wire, and what each told its owner. */
export class SessionPair {
  readonly active: TcpclSession;
  readonly passive: TcpclSession;
  readonly events = {
    active: [] as SessionEvent[],
    passive: [] as SessionEvent[],
  };
  now = 0;

  constructor(active: Tweaks = {}, passive: Tweaks = active) {
    this.active = makeSession(true, active);
    this.passive = makeSession(false, passive);
  }

  /** Carries bytes until both are silent; `accept` takes bundles at once. */
  pump(accept = true): void {
    for (let busy = true; busy;) {
      busy = false;
      for (const side of ["active", "passive"] as const) {
        const other = side === "active" ? "passive" : "active";
        let bytes;
        while ((bytes = this[side].pull(this.now))) {
          busy = true;
          const events = this[other].receive(bytes, this.now);
          this.events[other].push(...events);
          if (!accept) continue;
          for (const event of events) {
            if (event.type !== "bundle") continue;
            this.events[other].push(
              ...this[other].accept(event.transferId, this.now),
            );
          }
        }
      }
    }
  }

  of(side: "active" | "passive", type: SessionEvent["type"]): SessionEvent[] {
    return this.events[side].filter((event) => event.type === type);
  }
}
