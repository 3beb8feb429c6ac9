"""Packs FoxIO's captures and goldens: pack.py <pcap folder with expected-python, expected-rust> <ja.json>.

Keeps of the goldens what JA4 says of each stream, and drops the rest of JA4+ and everything about SSH and HTTP.
"""
import json
import pathlib
import re
import shutil
import sys

CAPTURES = """browsers-x509.pcapng chrome-cloudflare-quic-with-secrets.pcapng dtls-udp.notest.cap http1-with-cookies.pcapng
https3-301-get.pcap macos_tcp_flags.pcap quic-tls-handshake.pcapng single-packets.pcap socks-https-example.pcap
tls-handshake.pcapng tls-non-ascii-alpn.pcapng tls-sni.pcapng tls12.pcap""".split()

source = pathlib.Path(sys.argv[1])
out = pathlib.Path(__file__).parent
expected = {}
for name in CAPTURES:
    shutil.copyfile(source / name, out / name)
    row = expected[name] = {}
    golden = source / "expected-python" / f"{name}.json"
    if golden.exists():
        row["python"] = [
            {"source": f"{s['src']} {s['srcport']}", "ja4": [s[k] for k in sorted(s) if re.fullmatch(r"JA4\.\d+", k)]}
            for s in json.loads(golden.read_text())
            if "JA4.1" in s
        ]
    golden = source / "expected-rust" / f"ja4__insta@{name}.snap"
    if golden.exists():
        streams = re.split(r"^- stream:", golden.read_text(), flags=re.M)[1:]
        field = lambda s, k: (re.search(rf"^  {k}: (.*)$", s, re.M) or [None, None])[1]
        row["rust"] = [
            {"source": f"{field(s, 'src')} {field(s, 'src_port')}", "transport": field(s, "transport"), "ja4": field(s, "ja4")}
            for s in streams
            if field(s, "ja4")
        ]
(out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

ja = json.loads(pathlib.Path(sys.argv[2]).read_text())
for hello in ja["foxio"]:
    hello["expected"] = {k: v for k, v in hello["expected"].items() if not k.startswith("ja4s")}
del ja["chrome_index"], ja["generated"]
(out / "hellos.json").write_text(json.dumps(ja, indent=1) + "\n")
