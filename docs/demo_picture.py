#!/usr/bin/env python3
"""Makes docs/demo.png, the animated picture of the README: the overview of the console during one round of `vigie run --demo`.

    cargo build --release && python3 docs/demo_picture.py target/release/vigie [SPEED]

Needs Chromium (`chromium`, or the program in $CHROMIUM) and nothing but Python's standard library. A screenshot is taken at each
moment of the story below, from the daemon's own status; the pictures are joined to an animated PNG.
"""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
ADDRESS = "127.0.0.1:9479"
SIZE = (900, 640)
# How long each picture stays, in milliseconds.
DELAY = 2600
# A round takes three minutes; a slow machine needs more for the posts of the past.
TIMEOUT = 900
MAX_BYTES = 500_000


# The topic of the first incident: the round is over some time after its end, whatever others do.
FIRST = []


def warnings(status):
    """Alerts of the first incident's topic that are more than information."""
    firing = [alert for alert in status["alerts"] if alert["rule"] == "NegativeRising" and alert["state"] == "firing"]
    FIRST.extend([alert["topic"] for alert in firing][:1] if not FIRST else [])
    return [alert for alert in firing if alert["topic"] in FIRST]


# What happens, in order: a name, and when it is there to be seen.
STORY = [
    ("the days before are read, nothing happens", lambda s, fired: s["totals"]["classified"] > 500 and s["ready"] and topics_known(s)),
    ("the alert fires", lambda s, fired: warnings(s)),
    ("it goes on", lambda s, fired: warnings(s) and time.monotonic() > fired + 8),
    ("somebody acknowledges", lambda s, fired: any(alert["acknowledged_by"] for alert in warnings(s))),
    ("hours later", lambda s, fired: warnings(s) and time.monotonic() > fired + 60),
    ("it is over", lambda s, fired: not warnings(s)),
]


def topics_known(status):
    return status["topics"] and all(topic["normal"] is not None for topic in status["topics"])


def get_status():
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}/api/v1/status", timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return None


def screenshot(path):
    chromium = os.environ.get("CHROMIUM", "chromium")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--screenshot={path}",
               f"--window-size={SIZE[0]},{SIZE[1]}", f"http://{ADDRESS}/"]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def chunks(png):
    """The chunks of a PNG: pairs of type and data."""
    at = 8
    while at < len(png):
        length, = struct.unpack(">I", png[at:at + 4])
        yield png[at + 4:at + 8], png[at + 8:at + 8 + length]
        at += 12 + length


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def animate(pictures):
    """Joins PNGs of one size to an animated PNG that repeats for ever."""
    header = next(data for kind, data in chunks(pictures[0]) if kind == b"IHDR")
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"acTL", struct.pack(">II", len(pictures), 0))
    number = 0
    for index, picture in enumerate(pictures):
        if next(data for kind, data in chunks(picture) if kind == b"IHDR") != header:
            raise SystemExit("the screenshots differ in size or colours")
        width, height = struct.unpack(">II", header[:8])
        out += chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, DELAY, 1000, 0, 0))
        number += 1
        data = zlib.compress(zlib.decompress(b"".join(data for kind, data in chunks(picture) if kind == b"IDAT")), 9)
        if index == 0:
            out += chunk(b"IDAT", data)
        else:
            out += chunk(b"fdAT", struct.pack(">I", number) + data)
            number += 1
    return out + chunk(b"IEND", b"")


def main():
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    # A slow machine needs a slower clock.
    speed = ["--speed", sys.argv[2]] if len(sys.argv) == 3 else []
    environment = dict(os.environ, VIGIE__WEB__LISTEN=ADDRESS)
    daemon = subprocess.Popen([sys.argv[1], "run", "--demo", *speed], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    pictures, fired, begun = [], 0.0, time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as directory:
            for name, is_there in STORY:
                while True:
                    if time.monotonic() > begun + TIMEOUT or daemon.poll() is not None:
                        raise SystemExit(f"did not happen: {name}")
                    status = get_status()
                    if status and is_there(status, fired):
                        break
                    time.sleep(0.2)
                if not fired and warnings(status):
                    fired = time.monotonic()
                path = pathlib.Path(directory) / f"{len(pictures)}.png"
                screenshot(path)
                pictures.append(path.read_bytes())
                print(f"{time.monotonic() - begun:5.0f} s  {name}")
    finally:
        daemon.terminate()
        daemon.wait(30)
    picture = animate(pictures)
    if len(picture) > MAX_BYTES:
        raise SystemExit(f"the picture has {len(picture)} bytes, more than {MAX_BYTES}")
    (ROOT / "docs/demo.png").write_bytes(picture)
    print(f"docs/demo.png: {len(pictures)} pictures, {len(picture)} bytes")


if __name__ == "__main__":
    main()
