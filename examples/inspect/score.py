"""Score images with an exported model: python score.py parts.onnx IMAGE..."""

import sys

import numpy as np
import onnxruntime
from PIL import Image

model, *files = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
about = session.get_modelmeta().custom_metadata_map
print(f"threshold {about['threshold']}: at most {float(about['rate']):.1%} of good parts above it")
for file in files:
    image = np.asarray(Image.open(file).convert("RGB"))
    score, values, flag = session.run(None, {"image": image[None]})
    row, column = np.unravel_index(values[0].argmax(), values[0].shape)
    kind = "FLAGGED" if flag[0] else "ok"
    print(f"{kind:8}{score[0]:.4f}  {file}  (largest at x {column}, y {row})")
