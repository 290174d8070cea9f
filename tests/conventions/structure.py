"""Figures of the source tree, to compare before and after a change of the layout: python -m tests.conventions.structure

Source files are those of `incidents/` and `statuspage/` without migrations. With `--no-paths`, the four paths of
tests.conventions.paths are left out, which take half a minute.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

from tests.conventions import paths
from tests.conventions.code import ROOT, sources
from tests.conventions.test_budgets import file_lengths, function_lengths

FOLDER_LIMIT = 20
# Django prescribes this name: every management command has a class of it.
PRESCRIBED_CLASS = "Command"
# Fields of Component that the console, the API, an importer and the export all know.
COMPONENT_FIELDS = ("showcase", "only_show_if_degraded", "start_date")


def templates() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("templates/**/*") if path.is_file())


def folder_sizes(files: Iterable[str]) -> Counter[str]:
    """The number of files directly in each folder, without `__init__.py`."""
    return Counter(str(Path(file).parent) for file in files if Path(file).name != "__init__.py")


def repeated_classes() -> dict[str, list[str]]:
    """The files that define a class, for each name of a top-level class that is defined twice or more."""
    places = defaultdict(list)
    for file, tree in sources().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name != PRESCRIBED_CLASS:
                places[node.name].append(file)
    return {name: files for name, files in sorted(places.items()) if len(files) > 1}


def repeated_file_names() -> dict[str, list[str]]:
    """The folders that contain a file, for each name of a Python file that is used in two folders or more."""
    folders = defaultdict(list)
    for file in map(Path, sources()):
        if file.name != "__init__.py":
            folders[file.name].append(str(file.parent))
    return {name: places for name, places in sorted(folders.items()) if len(places) > 1}


def files_with(word: str, files: Iterable[str]) -> list[str]:
    pattern = re.compile(rf"\b{word}\b")
    return [file for file in files if pattern.search((ROOT / file).read_text(encoding="utf-8"))]


def print_folders(kind: str, sizes: Counter[str]) -> None:
    ((fullest, most),) = sizes.most_common(1)
    large = [(folder, size) for folder, size in sizes.most_common() if size > FOLDER_LIMIT]
    print(f"Fullest folder of {kind}: {fullest}, {most} files; {len(large)} folders over {FOLDER_LIMIT}")
    for folder, size in large:
        print(f"    {folder}: {size}")


def print_repeated(title: str, places: Mapping[str, list[str]]) -> None:
    print(f"{title}: {len(places)}, in {sum(map(len, places.values()))} places")
    for name, where in places.items():
        print(f"    {name}: {', '.join(where)}")


def print_lengths() -> None:
    files, functions = file_lengths(), function_lengths()
    print(f"Lines of source: {sum(files.values()):,} in {len(sources())} files")
    for kind, lengths in (("function", functions), ("file", files)):
        longest = max(lengths, key=lambda name: lengths[name])
        print(f"Lines of a {kind}: median {median(lengths.values()):g}, most {lengths[longest]} ({longest})")


def print_component_fields() -> None:
    for field in COMPONENT_FIELDS:
        python, pages = files_with(field, sources()), files_with(field, templates())
        print(f"Files that mention Component.{field}: {len(python)} of Python, {len(pages)} templates")
        for file in python + pages:
            print(f"    {file}")


def main() -> None:
    print_folders("source", folder_sizes(sources()))
    print_folders("templates", folder_sizes(templates()))
    print_repeated("Class names used twice or more", repeated_classes())
    print_repeated("File names in two folders or more", repeated_file_names())
    print_lengths()
    print_component_fields()
    if "--no-paths" not in sys.argv:
        paths.main()


if __name__ == "__main__":
    main()
