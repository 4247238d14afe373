"""wire.py watch FILE: writes every packet of this network namespace to FILE until it is ended.
wire.py memory PID: writes to standard output all memory of a process that it may write to.

What somebody in the middle sees, and what a relay has in mind."""
import re
import signal
import socket
import sys


def watch(path):
    with open(path, "wb", buffering=0) as out:
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        while True:
            out.write(packets.recv(1 << 16))


def memory(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw.. [0-9a-f]+ \S+ \d+\s*(\S*)", line)
            if not found or found[3] in ("[vvar]", "[vsyscall]"):
                continue
            place, end = int(found[1], 16), int(found[2], 16)
            while place < end:
                size = min(1 << 20, end - place)
                try:
                    mem.seek(place)
                    part = mem.read(size)
                except OSError:
                    part = b""
                if part.strip(b"\0"):
                    sys.stdout.buffer.write(part)
                place += size


if __name__ == "__main__":
    watch(sys.argv[2]) if sys.argv[1] == "watch" else memory(sys.argv[2])
