import process from "node:process";
import { createInterface } from "node:readline";
import { clientCommands, type Peer, serveStream } from "./_workload.ts";

/**
 * Runs one process of `peer`: `server`, or `client`; `known` is JSON for it, to a client what the server said.
 *
 * It answers each line of its input, a JSON array of command and argument, with one line of JSON, and ends with its input.
 */
export async function runPeer(
  peer: Peer,
  role: string,
  known: string,
): Promise<void> {
  const commands: Record<string, (argument: never) => unknown> = { collect };
  if (role === "server") {
    say(
      await peer.listen((stream) => {
        // Whatever ends a stream early fails at the client too, which says so.
        serveStream(stream).catch(() => stream.close()).catch(() => {});
      }, JSON.parse(known)),
    );
  } else {
    const dial = await peer.dialer(JSON.parse(known));
    Object.assign(commands, clientCommands(dial));
    say(null);
  }
  await answerLines(commands);
}

/** Answers lines of the input with what `commands` give, and ends the process with the input. */
export async function answerLines(
  commands: Readonly<Record<string, (argument: never) => unknown>>,
): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, argument] = JSON.parse(line);
    say(await commands[name]!(argument as never) ?? null);
  }
  return process.exit();
}

/** Collects garbage, so that memory can be compared, and returns what is left. */
function collect(): object {
  const { gc } = globalThis as { gc?: (options: object) => void };
  if (!gc) throw new TypeError("Want --expose-gc");
  gc({ type: "major", execution: "sync", flavor: "last-resort" });
  return process.memoryUsage();
}

/** Says one line of JSON. */
export function say(answer: unknown): void {
  process.stdout.write(JSON.stringify(answer) + "\n");
}
