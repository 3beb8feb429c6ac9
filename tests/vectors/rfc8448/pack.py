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
# Botan speaks no 0-RTT: its server leaves early_data out. What the RFC has, from its section 4:
RFC = {
    "resumed": {
        "messageEncryptedExtensions":
            "080000280026000a00140012001d001700180019010001010102010301"
            "04001c0002400100000000002a0000",
        "recordServerHandshakeMessages":
            "1703030061dc48237b4b879f50d0d4d262ea8b4716eb40ddc1eb957e11"
            "126e8a7149c2d012d37a7115957e64ce30008b9e0323f2c05a9c1c77b4"
            "f37849a695ab255060a33fee770ca95cb8486bfd0843b87024865ca35c"
            "c41c4e515c64dcb1369f98635bc7a5",
    },
}


def main() -> None:
    traces: dict[str, dict[str, str]] = {}
    trace = None
    for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
        if line.startswith("["):
            trace = TRACES.get(line.strip("[]"))
        elif trace and " = " in line:
            name, value = (part.strip() for part in line.split("=", 1))
            value = value.replace(" ", "")
            if name not in DROPPED:
                words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).split("_")
                words = [word.lower() for word in words]
                key = words[0] + "".join(word.title() for word in words[1:])
                traces.setdefault(trace, {})[key] = value.lower()
    for trace, fields in RFC.items():
        traces[trace].update(fields)
    out = pathlib.Path(__file__).with_name("traces.json")
    out.write_text(json.dumps(traces, indent=1) + "\n")


main()
