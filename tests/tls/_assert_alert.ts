import { assertEquals, assertThrows } from "@std/assert";
import { ALERT, type AlertName } from "../../src/tls/alert.ts";
import type { TlsClient } from "../../src/tls/client.ts";
import { TlsError } from "../../src/tls/error.ts";
import { CONTENT_TYPE } from "../../src/tls/record.ts";
import type { ScriptedServer } from "./_scripted_server.ts";

/** Fails unless `act` throws, and the output is the alert, in the clear or as the server opens it. */
export function assertAlert(
  client: TlsClient,
  server: ScriptedServer,
  alertName: AlertName,
  act: () => void,
): void {
  const error = assertThrows(act, TlsError);
  assertEquals([error.code, error.alert], ["sent_alert", alertName]);
  const records = server.open(client.takeOutput());
  assertEquals(records.at(-1), {
    type: CONTENT_TYPE.alert,
    content: Uint8Array.of(2, ALERT[alertName]),
  });
  assertThrows(() => client.receive(Uint8Array.of(0)), TlsError);
}
