from pathlib import Path

import pytest

from statuspage.common.published_folder import CURRENT, MANIFEST, file_of, read_manifest
from statuspage.publishing import generation_writer as trees
from statuspage.publishing.generation_writer import Answer, GenerationWriter, Tree
from tests.publishing.folders import shown, stray

HTML = {"Content-Type": "text/html; charset=utf-8"}


def answer(text: str) -> Answer:
    return Answer(text.encode(), HTML)


def write(tree: Tree, texts: dict[str, str], *, drop: tuple[str, ...] = (), rebuild: bool = False) -> None:
    with tree.new_generation(rebuild=rebuild) as draft:
        for path, text in texts.items():
            draft.put(path, answer(text))
        for path in drop:
            draft.drop(path)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "page")


def test_a_path_has_a_file_that_any_web_server_finds() -> None:
    assert file_of("/") == "index.html"
    assert file_of("/history") == "history.html"
    assert file_of("/incidents/abc") == "incidents/abc.html"
    assert file_of("/incidents/abc.ics") == "incidents/abc.ics"
    assert file_of("/history.atom") == "history.atom"


def test_what_is_put_is_shown_in_every_coding(tree: Tree) -> None:
    write(tree, {"/": "home", "/incidents/a": "first"}, rebuild=True)
    assert shown(tree) == {"/": "home", "/incidents/a": "first"}


def test_a_draft_keeps_what_it_does_not_name(tree: Tree) -> None:
    write(tree, {"/": "home", "/history": "history", "/incidents/a": "first"}, rebuild=True)
    write(tree, {"/": "home again"})
    assert shown(tree) == {"/": "home again", "/history": "history", "/incidents/a": "first"}


def test_a_rebuild_forgets_what_it_does_not_name(tree: Tree) -> None:
    write(tree, {"/": "home", "/incidents/a": "first"}, rebuild=True)
    write(tree, {"/": "home", "/incidents/b": "second"}, rebuild=True)
    assert shown(tree) == {"/": "home", "/incidents/b": "second"}


def test_a_changed_past_incident_is_looked_for_before_the_archive(tree: Tree) -> None:
    write(tree, {"/": "home", "/incidents/a": "first", "/incidents/b": "second"}, rebuild=True)
    archive = read_manifest(tree.current).archive if tree.current else ""
    write(tree, {"/incidents/a": "first, corrected"})
    assert shown(tree)["/incidents/a"] == "first, corrected"
    assert tree.current
    assert read_manifest(tree.current).archive == archive, "one change makes no new archive"


def test_what_is_dropped_is_gone_from_the_disk_at_once(tree: Tree) -> None:
    write(tree, {"/": "home", "/incidents/a": "a secret", "/incidents/b": "second"}, rebuild=True)
    write(tree, {}, drop=("/incidents/a",))
    assert shown(tree) == {"/": "home", "/incidents/b": "second"}
    write(tree, {"/": "home 2"})
    write(tree, {"/": "home 3"})
    assert not [file for file in tree.root.rglob("a.html") if "a secret" in file.read_text()]


def test_many_changed_past_incidents_move_into_a_new_archive(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MAX_OVERLAY", 3)
    texts = {f"/incidents/{n}": f"incident {n}" for n in range(6)}
    write(tree, {"/": "home", **texts}, rebuild=True)
    for n in range(5):
        write(tree, {f"/incidents/{n}": f"corrected {n}"})
    assert shown(tree) == {"/": "home", "/incidents/5": "incident 5"} | {
        f"/incidents/{n}": f"corrected {n}" for n in range(5)
    }
    assert tree.current
    assert len([path for path in read_manifest(tree.current).files if path.startswith("/incidents/")]) <= 3


def test_pages_of_single_components_are_in_the_archive_and_each_generation_links_few_files(tree: Tree) -> None:
    many = {f"/uptime/{n}.json": f"component {n}" for n in range(5)} | {"/components/1/badge.svg": "badge"}
    write(tree, {"/": "home", "/uptime": "all", "/uptime.json": "all", **many}, rebuild=True)
    write(tree, {"/": "home 2", "/uptime/3.json": "component 3, down"})
    assert tree.current
    assert read_manifest(tree.current).files.keys() == {"/", "/uptime", "/uptime.json", "/uptime/3.json"}
    assert shown(tree) == {"/": "home 2", "/uptime": "all", "/uptime.json": "all", **many} | {
        "/uptime/3.json": "component 3, down"
    }
    write(tree, {}, drop=("/components/1/badge.svg", "/uptime/3.json"))
    assert shown(tree).keys() == {"/", "/uptime", "/uptime.json"} | {f"/uptime/{n}.json" for n in (0, 1, 2, 4)}
    assert not stray(tree)


def write_half(tree: Tree) -> None:
    """Fail while a generation is written, as on a full disk."""
    with tree.new_generation() as generation:
        generation.put("/", answer("half"))
        raise OSError(28, "No space left on device")


def test_a_failed_draft_leaves_the_old_page_and_no_rubbish(tree: Tree) -> None:
    write(tree, {"/": "home"}, rebuild=True)
    before = sorted(tree.root.rglob("*"))
    with pytest.raises(OSError, match="No space"):
        write_half(tree)
    assert shown(tree) == {"/": "home"}
    assert sorted(tree.root.rglob("*")) == before


def test_what_a_killed_publisher_left_is_swept(tree: Tree) -> None:
    write(tree, {"/": "home"}, rebuild=True)
    half = GenerationWriter(tree, rebuild=False)
    half.put("/", answer("half"))
    write(tree, {"/": "whole"})
    assert shown(tree) == {"/": "whole"}
    assert not list(tree.root.rglob("*.part"))


def test_old_generations_go_and_the_last_but_one_stays_for_slow_readers(tree: Tree) -> None:
    for n in range(5):
        write(tree, {"/": f"home {n}"}, rebuild=not n)
    assert len(list(tree.generations.iterdir())) == 2
    assert shown(tree) == {"/": "home 4"}


def test_the_current_generation_is_a_relative_link(tree: Tree) -> None:
    """So the folder can be copied and moved."""
    write(tree, {"/": "home", "/incidents/a": "first"}, rebuild=True)
    assert tree.current
    assert not (tree.root / CURRENT).readlink().is_absolute()
    assert not (tree.current / "archive").readlink().is_absolute()
    assert (tree.current / "archive" / MANIFEST).exists()


def test_a_path_cannot_lead_out_of_the_folder(tree: Tree) -> None:
    with pytest.raises(ValueError, match="outside of"), tree.new_generation() as draft:
        draft.put("/../../evil.txt", answer("out"))


def test_a_draft_knows_what_is_published_already(tree: Tree) -> None:
    write(tree, {"/": "home", "/incidents/a": "first"}, rebuild=True)
    with tree.new_generation() as draft:
        assert draft.holds("/", answer("home"))
        assert draft.holds("/incidents/a", answer("first"))
        assert not draft.holds("/", answer("another"))
        assert not draft.holds("/", Answer(b"home", {"Content-Type": "text/plain"}))
        assert not draft.holds("/nowhere", answer("home"))


def test_a_short_draft_is_published_while_a_long_one_is_written(tree: Tree) -> None:
    write(tree, {"/": "home", "/incidents/a": "first"}, rebuild=True)
    with tree.new_generation(rebuild=True) as long:
        long.put("/incidents/a", answer("first, anew"))
        write(tree, {"/": "home meanwhile"})
        assert shown(tree) == {"/": "home meanwhile", "/incidents/a": "first"}
        long.put("/", answer("home, anew"))
    assert shown(tree) == {"/": "home, anew", "/incidents/a": "first, anew"}
    write(tree, {"/": "home after"})
    assert shown(tree)["/"] == "home after"
    assert not list(tree.root.rglob("*.part"))


def test_what_is_put_and_then_dropped_leaves_no_file(tree: Tree) -> None:
    with tree.new_generation(rebuild=True) as draft:
        draft.put("/", answer("home"))
        draft.put("/incidents/a", answer("a secret"))
        draft.drop("/incidents/a")
    assert shown(tree) == {"/": "home"}
    assert not stray(tree)


def test_what_is_put_twice_is_what_came_last_and_readers_of_the_old_one_see_no_change(tree: Tree) -> None:
    write(tree, {"/": "home"}, rebuild=True)
    old = tree.current
    assert old
    with tree.new_generation() as draft:
        draft.put("/", answer("home 1"))
        draft.put("/", answer("home 2"))
    assert shown(tree) == {"/": "home 2"}
    assert (old / "index.html").read_text() == "home"
