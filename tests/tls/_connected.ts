import type { TlsClient } from "../../src/tls/client.ts";
import { chromeClient } from "./_chrome_client.ts";
import { type Script, ScriptedServer } from "./_scripted_server.ts";

/** A client and a scripted server whose handshake is over. */
export function connectedClient(
  script: Script = {},
): { readonly client: TlsClient; readonly server: ScriptedServer } {
  const client = chromeClient();
  const server = new ScriptedServer(script);
  client.receive(server.answer(client.takeOutput()));
  client.accept();
  server.finish(client.takeOutput());
  return { client, server };
}
