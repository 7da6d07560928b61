"""Draw the method's diagrams: python -m ign.figures FOLDER."""

import argparse
from pathlib import Path

from ign.figures.diagrams import write

parser = argparse.ArgumentParser(prog="python -m ign.figures", description=write.__doc__)
parser.add_argument("folder", type=Path, help="where they go, such as docs/pictures")
for path in write(parser.parse_args().folder):
    print(path)
