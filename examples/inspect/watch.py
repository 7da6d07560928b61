"""Watch a folder with an exported model: python watch.py parts.onnx FOLDER [SECONDS]

`ign score --watch` does the same with a table that a restart continues. This needs no ign.
"""

import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

model, folder, *seconds = sys.argv[1:]
session, sizes = onnxruntime.InferenceSession(model), {}
end = time.monotonic() + float(seconds[0] if seconds else "inf")
while time.monotonic() < end:
    for file in sorted(Path(folder).glob("*.png")):
        size = file.stat().st_size
        if sizes.get(file) == size:  # complete: its size did not change since the last look
            image = np.asarray(Image.open(file).convert("RGB"))[None]
            score, _, flag = session.run(None, {"image": image})
            print(f"{'FLAGGED' if flag[0] else 'ok':8}{score[0]:.4f}  {file.name}", flush=True)
            sizes[file] = -1
        elif sizes.get(file) != -1:
            sizes[file] = size
    time.sleep(0.5)
