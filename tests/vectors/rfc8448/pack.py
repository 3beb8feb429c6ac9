"""Packs Botan's transcripts of the traces of RFC 8448.

    python3 pack.py <folder of Botan>/src/tests/data/tls_13_rfc8448/transcripts.vec

Kept are the five traces that the RFC has, their records, messages and randomness;
what is Botan's own (session encodings, made-up traces, time) is dropped.
"""

import json
import pathlib
import re
import sys

TRACES = {
    "Simple_1RTT_Handshake": "simple",
    "Resumed_0RTT_Handshake": "resumed",
    "HelloRetryRequest_Handshake": "helloRetryRequest",
    "Client_Authentication_Handshake": "clientAuthentication",
    "Middlebox_Compatibility_Mode": "compatibility",
}
DROPPED = ("CurrentTimestamp", "Client_SessionData", "SessionTicket",
           "Server_MessageToSign", "Client_MessageToSign")


def main() -> None:
    traces: dict[str, dict[str, str]] = {}
    trace = None
    for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
        if line.startswith("["):
            trace = TRACES.get(line.strip("[]"))
        elif trace and " = " in line:
            name, value = (part.strip() for part in line.split("=", 1))
            if name not in DROPPED:
                words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).split("_")
                words = [word.lower() for word in words]
                key = words[0] + "".join(word.title() for word in words[1:])
                traces.setdefault(trace, {})[key] = value.lower()
    out = pathlib.Path(__file__).with_name("traces.json")
    out.write_text(json.dumps(traces, indent=1) + "\n")


main()
