/**
 * One process that speaks to nats-server: `peer.js server <address>`, or `peer.js client <what the server said>`.
 *
 * It is JavaScript so that the repository's own type check does not ask for the client of NATS.
 *
 * @module
 */
import process from "node:process";
import { jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { runMessagePeer } from "../_run_message_peer.ts";

const STREAM = "accepted";
/** Messages behind which a flush waits until nats-server has them. */
const FLUSHED = 256;
const OPTIONS = { timeout: 60_000 };

/** @type {import("../_message_workload.ts").MessagePeer} */
const nats = {
  async listen(server, known) {
    const connection = await connect({ servers: known.address });
    connection.subscribe("ask", {
      callback: async (_, message) => {
        message.respond(await server.answer(message.data));
      },
    });
    connection.subscribe("tell", {
      callback: (_, message) => server.take(message.data),
    });
    await connection.flush();
    return known;
  },
  async dial({ address }) {
    const connection = await connect({ servers: address });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name: STREAM,
      subjects: [STREAM],
      storage: StorageType.File,
    });
    const stream = jetstream(connection, OPTIONS);
    let [told, accepted] = [0, 0];
    return {
      request: async (message) => (await connection.request("ask", message, OPTIONS)).data,
      async notify(message) {
        connection.publish("tell", message);
        if (++told % FLUSHED === 0) await connection.flush();
      },
      async accept(message) {
        await stream.publish(STREAM, message);
        accepted++;
      },
      async figures() {
        const { state } = await manager.streams.info(STREAM);
        return { acceptedInAll: accepted, storedInAll: state.messages };
      },
    };
  },
};

const [role = "", known = "null"] = process.argv.slice(2);
await runMessagePeer(nats, role, known);
