import { VirtualClock } from "../../src/core/async/mod.ts";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type Connection,
  MemoryNetwork,
} from "../../src/core/transport/mod.ts";
import {
  decodeFrameHeader,
  FRAME_TYPE,
  type FrameType,
  TAG_LENGTH,
} from "../../src/htx/frame.ts";
import type { TrafficKeys } from "../../src/htx/keys.ts";
import { parameters } from "../../src/htx/parameters.ts";
import { Opener } from "../../src/htx/protection.ts";
import { Session } from "../../src/htx/session.ts";
import type { ShapingOptions } from "../../src/htx/shaping.ts";
import { testKeys } from "./_mux_pair.ts";
import { seededRandom } from "./_repeatable_crypto.ts";
import { tap } from "./_tap.ts";

/** A frame as it left an end of a session. */
export interface TracedFrame {
  readonly atMs: number;
  readonly type: FrameType;
  readonly streamId: number;
  readonly payload: Bytes;
}

/** What to trace. */
export interface TraceOptions {
  readonly seed: number;
  readonly clientShaping?: ShapingOptions;
  readonly serverShaping?: ShapingOptions;
  /** What goes on while it is traced, given both ends. */
  readonly script: (ends: TracedEnds) => Promise<void>;
}

/** Both ends of a traced session. */
export interface TracedEnds {
  readonly client: Session;
  readonly server: Session;
  readonly clock: VirtualClock;
}

/** The frames that each end sent. */
export interface Trace {
  readonly client: TracedFrame[];
  readonly server: TracedFrame[];
}

/** Records what two ends of a session send while `script` lets virtual time pass. */
export async function traceSession(options: TraceOptions): Promise<Trace> {
  const { seed, script, clientShaping = {}, serverShaping = {} } = options;
  const clock = new VirtualClock();
  const [near, far] = await connect(clock);
  const wire = testKeys();
  const trace: Trace = { client: [], server: [] };
  const open = (
    role: "client" | "server",
    connection: Connection,
    shaping: ShapingOptions,
  ) => {
    const record = recorder(wire[role], trace[role], clock);
    return new Session({ connection: tap(connection, record) }, {
      role,
      crypto: {
        ...nodeProvider,
        random: seededRandom(2 * seed + (role === "client" ? 0 : 1)),
      },
      keys: testKeys(),
      local: FIXED,
      remote: FIXED,
      remoteStaticKey: new Uint8Array(32),
      rttMs: 1,
      leftover: new Uint8Array(0),
    }, { clock, shaping });
  };
  const client = open("client", near, clientShaping);
  const server = open("server", far, serverShaping);
  await script({ client, server, clock });
  const { client: sent, server: answered } = structuredClone(trace);
  const closing = Promise.all([client.close(), server.close()]);
  await clock.run(5_000);
  await closing;
  return { client: sent, server: answered };
}

/** Sessions whose window stays as it is, so that they begin without a WINDOW_UPDATE. */
const FIXED = parameters({ maxSessionWindowBytes: 16 * 65_535 });

async function connect(clock: VirtualClock): Promise<[Connection, Connection]> {
  const network = new MemoryNetwork({ clock });
  await using listener = await network.transport("b").listen("memory://b");
  const near = await network.transport("a").dial("memory://b");
  const { value } = await listener[Symbol.asyncIterator]().next();
  return [near, value];
}

/** Opens every frame of one direction as it is written, batch by batch. */
function recorder(
  keys: TrafficKeys,
  frames: TracedFrame[],
  clock: VirtualClock,
): (batch: Bytes) => void {
  const opener = new Opener(nodeProvider, keys);
  return (batch) => {
    for (let at = 0; at < batch.length;) {
      const header = decodeFrameHeader(batch, at, batch.length, 0xffffff)!;
      const payload = opener.open(batch, at, header);
      if (header.type === FRAME_TYPE.keyUpdate) opener.rekey();
      const { type, streamId } = header;
      frames.push({ atMs: clock.now(), type, streamId, payload });
      at += header.headerLength + header.length + TAG_LENGTH;
    }
  };
}
