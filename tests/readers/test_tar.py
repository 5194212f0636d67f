"""Archives in two programs that unpack them, and their manifest in sha256sum."""

from __future__ import annotations

import importlib.util
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMPRESSIONS = {"gz": "gzip", "xz": "xz", "zst": "zstd"}
SOME = ("sample", "empty", "devices", *(f"hostile-{number}" for number in range(12)))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_tar_and_bsdtar_unpack_the_same_files(
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    run: Callable[..., str],
    tmp_path: Path,
) -> None:
    reports = written("tar", ".tar.gz", "contents=json", only=SOME)
    for name in SOME:
        path = reports[name].path
        found = []
        for unpacker in ("tar", "bsdtar"):
            folder = tmp_path / f"{name}-{unpacker}"
            folder.mkdir()
            run(program(unpacker), "-xzf", path, "-C", folder)
            found.append(files(folder))
        with tarfile.open(path) as tar:
            assert len(found[0]) == len(tar.getnames())
        assert found[0] == found[1]


def test_sha256sum_finds_every_file_as_the_manifest_says(
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    run: Callable[..., str],
    tmp_path: Path,
) -> None:
    reports = written("tar", ".tar.gz", only=SOME)
    for name in SOME:
        folder = tmp_path / name
        folder.mkdir()
        run(program("tar"), "-xzf", reports[name].path, "-C", folder, "--strip-components=1")
        manifest = json.loads((folder / "manifest.json").read_bytes())
        sums = tmp_path / f"{name}.sums"
        lines = (f"{each['sha256']}  {folder / each['name']}\n" for each in manifest["members"])
        sums.write_text("".join(lines), "utf-8")

        run(program("sha256sum"), "--strict", "--quiet", "--check", sums)
        assert len(files(folder)) == len(manifest["members"]) + 1


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_its_own_program_finds_the_packing_whole(
    compression: str,
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    run: Callable[..., str],
) -> None:
    if compression == "zst" and not importlib.util.find_spec("backports"):
        pytest.skip("the extra zstd is not installed")
    options = ["contents=json", f"compression={compression}"]
    reports = written("tar", f".tar.{compression}", *options, only=SOME)

    paths = [reports[name].path for name in SOME]
    run(program(COMPRESSIONS[compression]), "--test", *paths)
    for path in paths:
        listed = run(program("bsdtar"), "-tf", path).splitlines()
        assert listed[-1].endswith("/manifest.json")
