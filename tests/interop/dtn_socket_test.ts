import { assert, assertEquals, assertMatch } from "@std/assert";
import { DtnNodeProcess } from "../cli/_dtn_process.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { canHaveDtn7, dtn7Path, Dtnd, runDtn7, until } from "./_dtn7.ts";

const ignore = !canHaveDtn7("dtn_socket_test");

Deno.test({
  name: "dtn7-rs's dtntrigger subscribes at our WebSocket and gets bundles",
  ignore,
  async fn() {
    await using folder = await makeFolder();
    await using node = await DtnNodeProcess.start({
      name: "us",
      state: folder.path,
      args: ["--listen", "tcpcl://127.0.0.1:0"],
    });
    const send = async (payload: string) => {
      const url = `${node.app}/send?dst=dtn://us/in&lifetime=1h`;
      const answer = await fetch(url, { method: "POST", body: `${payload}\n` });
      assert(answer.ok, await answer.text());
    };
    await send("before");
    await using trigger = new Deno.Command(await dtn7Path("dtntrigger"), {
      args: ["-v", "-p", node.appPort, "-e", "in", "-c", "tail -n 1"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let said = "";
    const reading = (async () => {
      for await (
        const text of trigger.stdout.pipeThrough(new TextDecoderStream())
      ) said += text;
    })();
    const hears = (text: string) =>
      until(() => Promise.resolve(said.includes(text) ? true : undefined));
    await hears("200 subscribed");
    await hears("before");
    await send("after");
    await hears("after");
    const taken = async () => {
      const { bundles } = await node.status<{ bundles: number }>("store");
      return bundles === 0 ? true : undefined;
    };
    await until(taken);
    trigger.kill();
    await reading;
  },
});

Deno.test({
  name: "dtnquery gets from us what it gets from dtnd",
  ignore,
  async fn() {
    await using folder = await makeFolder();
    await using node = await DtnNodeProcess.start({
      name: "us",
      state: folder.path,
      args: ["--listen", "tcpcl://127.0.0.1:0"],
    });
    await using dtnd = await Dtnd.start({ node: "us", layers: [] });
    const asked = async (...args: string[]) => {
      const ours = await runDtn7("dtnquery", ["-p", node.appPort, ...args]);
      const theirs = await runDtn7("dtnquery", [
        ...["-6", "-p", new URL(dtnd.web).port],
        ...args,
      ]);
      return [ours, theirs].map((each) => new TextDecoder().decode(each));
    };
    for (const web of [node.app, dtnd.web]) {
      const url = `${web}/send?dst=dtn://there/in&lifetime=2days%201h`;
      const answer = await fetch(url, { method: "POST", body: "x" });
      assert(answer.ok, await answer.text());
    }
    const [id, theirId] = await asked("nodeid");
    assertEquals(id, theirId);
    for (const args of [["bundles"], ["bundles", "-a", "there"]]) {
      for (const answer of await asked(...args)) {
        const [name, ...more] = listIn(answer);
        assertMatch(`${name}`, /^dtn:\/\/us\/-[0-9]+-[0-9]+$/);
        assertEquals(more, []);
      }
    }
    for (const answer of await asked("bundles", "-a", "nowhere")) {
      assertEquals(listIn(answer), []);
    }
    for (const answer of await asked("eids")) {
      assert(listIn(answer).includes("dtn://us/"), answer);
    }
  },
});

function listIn(answer: string): unknown[] {
  return JSON.parse(answer.slice(answer.indexOf("[")));
}
