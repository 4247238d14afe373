#!/bin/sh
# The local API of a running node answers after a user took all places that it may have, has sentences for
# what it refuses, and takes heads of one meaning only.
set -eu
. "$(dirname "$0")/federation.sh"
houses_one
cd "$fed_home"
cat >clients.py <<'END'
import socket, sys

def dial():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect("lakeside/socket")
    return client

def ask(client, head):
    client.sendall(head)
    said = b""
    while b"}" not in said:
        more = client.recv(65536)
        if not more:
            break
        said += more
    return said.decode()

STATUS = b"GET /v1/status HTTP/1.1\r\nHost: consilium\r\n\r\n"
idle = [dial() for _ in range(32)]
assert " 200 OK" in ask(idle[-1], STATUS), "its last place"
over = dial()
said = over.recv(65536).decode()
assert " 503 " in said and "as many connections" in said, said
for client in idle:
    client.close()
while True:  # the node sees in its next turns that they are closed
    client = dial()
    try:
        said = ask(client, STATUS)
    except OSError:
        said = ""
    if " 200 OK" in said:
        break
for head, wanted in (
        (b"GET /v1/status HTTP/1.1\r\nHost: consilium\r\nHost: other\r\n\r\n", "more than one Host"),
        (b"GET /v1/status HTTP/1.1\r\nHost: consilium\r\nX : y\r\n\r\n", "a blank"),
        (b"GET /v1/status%00 HTTP/1.1\r\nHost: consilium\r\n\r\n", "a NUL"),
        (b"GET /v1/status\0 HTTP/1.1\r\nHost: consilium\r\n\r\n", "a NUL"),
        (b"POST /v1/status HTTP/1.1\r\nHost: consilium\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
         "more than one Content-Length")):
    said = ask(dial(), head)
    assert " 400 Bad Request" in said and wanted in said, (head, said)
END
timeout 120 python3 clients.py || fed_fail 'the API should answer and refuse'
checked lakeside 'it answers after its places were taken, and refuses heads of two meanings'
at lakeside status >last || fed_fail 'the command line is answered'
checked lakeside 'the command line is answered'
