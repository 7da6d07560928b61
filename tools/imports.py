"""Print the packages of ign, the number of imports between them, and the circles of modules.

python tools/imports.py
"""

import sys
from collections import Counter

import grimp


def circles(graph: grimp.ImportGraph) -> list[str]:
    """Return the modules that import themselves through other modules."""
    return sorted({
        module
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if graph.chain_exists(imported, module)
    })  # fmt: skip


def main() -> int:
    graph = grimp.build_graph("ign")
    rooms, inside = Counter[str](), Counter[tuple[str, str]]()
    for module in graph.modules - {"ign"}:
        room = module.split(".")[1]
        rooms[room] += 1
        for imported in graph.find_modules_directly_imported_by(module) - {"ign"}:
            if imported.split(".")[1] != room:
                inside[room, imported.split(".")[1]] += 1
    for room in sorted(rooms):
        targets = sorted((b, n) for (a, b), n in inside.items() if a == room)
        print(f"{room} ({rooms[room]}): {', '.join(f'{b} {n}' for b, n in targets) or 'nothing'}")
    found = circles(graph)
    print(f"{len(rooms)} packages and modules at the root, {len(inside)} pairs that import")
    print(f"modules in circles: {', '.join(found) or 'none'}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
