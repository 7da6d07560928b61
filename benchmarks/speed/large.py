"""Training on a large source, 200,000 images of 64x64 in a zip: reading, restarting, memory.

    python -m benchmarks.speed.large [--images 200000] [--photos 4000] [--width 64] [--out FILE]

The images are JPEG files: 1,000 smooth random images that are repeated under different names.
`ign train` runs five steps on them in a new process with an empty cache folder, and then again with
the cache that the first run wrote. A last run uses photos of 1,024x1,024, for which decoding takes
longer than the work of the interpreter. "cores" is the processor time divided by the elapsed time
while the images were read. Memory is the peak while reading and training, in MiB. "own" is the
memory that belongs to the process alone (anonymous memory, sampled 50 times per second). "resident"
is the count of the system, which includes the parts of mapped files, such as the cache, that are
currently in memory and that the system can reclaim. The benchmark runs on Linux only.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.machine import add_out, markdown, publish, timed
from benchmarks.speed.device import status
from ign import data
from ign.cli import main as command

DISTINCT = 1000
Row = dict[str, Any]


def write(path: Path, count: int, side: int) -> None:
    """The zip."""
    noise, jpegs = np.random.default_rng(0), []
    for _ in range(min(DISTINCT, count)):
        small = Image.fromarray(noise.integers(0, 256, (8, 8, 3), np.uint8))
        file = io.BytesIO()
        small.resize((side, side), Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
        jpegs.append(file.getvalue())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for i in range(count):
            archive.writestr(f"{i:06d}.jpg", jpegs[i % len(jpegs)])


def train(source: str, width: int, out: str) -> None:
    """Run five steps, and print the time and memory that they took."""
    own, done = [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            own[0] = max(own[0], status("RssAnon"))

    taken, load = [0.0, 0.0], data.load

    def timed(*words: Any, **options: Any) -> data.ImageSet:
        began = time.perf_counter(), time.process_time()
        images = load(*words, **options)
        taken[0] += time.perf_counter() - began[0]
        taken[1] += time.process_time() - began[1]
        return images

    data.load = timed
    watch = threading.Thread(target=look)
    watch.start()
    words = ["folder", f"--data={source}", f"--out={out}", f"--network.width={width}"]
    failed = command(["train", *words, "--steps=5", "--device=cpu"])
    done.set()
    watch.join()
    found = {"reading s": taken[0], "cores": taken[1] / taken[0]}
    print(json.dumps(found | {"own MiB": own[0], "resident MiB": status("VmHWM")}))
    sys.exit(failed)


def measure(images: int, photos: int, width: int) -> list[Row]:
    """Measure both starts and the run on photos."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for count, side, starts in ((images, 64, ("first", "second")), (photos, 1024, ("first",))):
            source = Path(folder) / f"{side}.zip"
            write(source, count, side)
            for start in starts:
                done = subprocess.run(
                    [sys.executable, "-m", __spec__.name, "--run", source,
                     f"{folder}/{side}{start}", str(width)],
                    env={**os.environ, "IGN_CACHE": f"{folder}/cache"},
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
                found = json.loads(done.stdout.splitlines()[-1])
                row = {"start": start, "side": side, "images": count}
                rows.append(row | {"images/s": count / found["reading s"]} | found)
            source.unlink()
    return rows


def table(rows: list[Row]) -> str:
    """Format the rows as Markdown."""
    formats = {"cores": "{:.2f}", "reading": "{:,.1f}"}
    return markdown(
        rows, formats | dict.fromkeys(("side", "images", "images/s", "own", "resident"), "{:,.0f}")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--photos", type=int, default=4_000)
    parser.add_argument("--width", type=int, default=64, help="of the network")
    parser.add_argument("--run", nargs=3, metavar=("SOURCE", "OUT", "WIDTH"), help="one run only")
    add_out(parser)
    options = parser.parse_args()
    if options.run:
        source, out, width = options.run
        train(source, int(width), out)
    about = timed()
    rows = measure(options.images, options.photos, options.width)
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
