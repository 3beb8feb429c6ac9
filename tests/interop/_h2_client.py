"""Posts 300,000 bytes with the h2 library, and prints the status and how many bytes came back."""
import socket
import sys

import h2.config
import h2.connection
import h2.events

body = bytes(i % 251 for i in range(300_000))
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
conn = h2.connection.H2Connection(config=h2.config.H2Configuration(client_side=True))
conn.initiate_connection()
conn.send_headers(
    1,
    [(":method", "POST"), (":authority", "x"), (":scheme", "http"), (":path", "/")],
)
sent, got, status = 0, b"", None
while True:
    while sent < len(body):
        room = min(conn.local_flow_control_window(1), conn.max_outbound_frame_size)
        if room == 0:
            break
        part = body[sent : sent + room]
        sent += len(part)
        conn.send_data(1, part, end_stream=sent == len(body))
    sock.sendall(conn.data_to_send())
    for event in conn.receive_data(sock.recv(65_536)):
        if isinstance(event, h2.events.ResponseReceived):
            status = dict(event.headers)[b":status"].decode()
        elif isinstance(event, h2.events.DataReceived):
            got += event.data
            conn.acknowledge_received_data(event.flow_controlled_length, 1)
        elif isinstance(event, h2.events.StreamEnded):
            assert got == body
            conn.close_connection()
            sock.sendall(conn.data_to_send())
            print(status, len(got))
            sys.exit(0)
        elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            sys.exit(str(event))
