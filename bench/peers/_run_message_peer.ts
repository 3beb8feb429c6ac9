import {
  messageCommands,
  type MessagePeer,
  messageServer,
} from "./_message_workload.ts";
import { answerLines, say } from "./_run_peer.ts";

/** Runs one process of `peer`: `server`, or `client`; `known` is JSON for it, to a client what the server said and more. */
export async function runMessagePeer(
  peer: MessagePeer,
  role: string,
  known: string,
): Promise<never> {
  if (role === "server") {
    say(await peer.listen(messageServer(), JSON.parse(known)));
    return await answerLines({});
  }
  const client = await peer.dial(JSON.parse(known));
  say(null);
  return await answerLines({ ...messageCommands(client) });
}
