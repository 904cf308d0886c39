"""The packages: what is in them, and that they work where nothing else is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from drchrono_sandbox import ACCESS_TOKEN, STREAMS, Practice
from drchrono_sandbox.server import serve
from target import Target

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).parent / "uv")
MODULES = {
    str(path.relative_to(ROOT))
    for path in (ROOT / "tap_drchrono").rglob("*")
    if path.suffix in {".py", ".json", ".typed"}
}


def run(*command, **options):
    """Run a command that must succeed, and return its output."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        timeout=120,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def build(source, folder, *options):
    """Build packages with what is installed here."""
    tools = ("--no-build-isolation", "--python", sys.executable)
    run(UV, "build", *tools, *options, "--out-dir", folder, source)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The source package, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("packages")
    # From the source package, the wheel proves that nothing is missing there.
    build(ROOT, folder)
    (wheel,) = folder.glob("*.whl")
    (source,) = folder.glob("*.tar.gz")
    return wheel, source


def test_the_wheel_holds_the_tap_and_nothing_else(packages):
    with zipfile.ZipFile(packages[0]) as wheel:
        names = set(wheel.namelist())
    info = {name for name in names if ".dist-info/" in name}
    assert names - info == MODULES
    assert any(name.endswith("/licenses/LICENSE") for name in info)


def test_the_wheel_names_what_users_need(packages):
    with zipfile.ZipFile(packages[0]) as wheel:
        texts = {
            name.rsplit("/", 1)[-1]: wheel.read(name).decode()
            for name in wheel.namelist()
            if ".dist-info/" in name
        }
    assert "tap-drchrono = tap_drchrono.tap:main" in texts["entry_points.txt"]
    assert "tap-drchrono-authorize = " in texts["entry_points.txt"]
    assert "\nLicense-Expression: Apache-2.0\n" in texts["METADATA"]
    assert "\nRequires-Python: >=3.11\n" in texts["METADATA"]
    assert "sandbox" not in re.findall(r"Requires-Dist: (\S+)", texts["METADATA"])


def test_the_source_package_holds_the_code_and_the_texts(packages):
    with tarfile.open(packages[1]) as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    assert names >= MODULES
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    texts = {"CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md"}
    made = {"", ".gitignore", "PKG-INFO", "pyproject.toml"}
    top = {name.split("/")[0] for name in names}
    assert top - made - texts == {"tap_drchrono"}


def test_the_version_is_that_of_the_tag(tmp_path):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), clone)
    run("git", "-C", clone, "tag", "v7.8.9")
    build(clone, tmp_path, "--wheel")
    assert list(tmp_path.glob("tap_drchrono-7.8.9-py3-none-any.whl"))


def test_it_builds_where_git_is_not(packages, tmp_path):
    with tarfile.open(packages[1]) as source:
        source.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    (folder / "PKG-INFO").unlink()
    build(folder, tmp_path, "--wheel")
    assert list(tmp_path.glob("tap_drchrono-0.1.0-*.whl"))


@pytest.fixture(scope="module")
def installed(packages, tmp_path_factory):
    """The folder of the commands in an environment with nothing but the wheel."""
    home = tmp_path_factory.mktemp("environment")
    run(UV, "venv", "--python", sys.executable, home)
    run(
        UV, "pip", "install", "--python", home / "bin" / "python",
        "--constraint", ROOT / "requirements.lock", packages[0],
        cwd=home,
    )  # fmt: skip
    return home / "bin"


def test_it_installs_without_anything_of_the_tests(installed):
    names = run(UV, "pip", "list", "--python", installed / "python", "--format=json")
    assert {one["name"] for one in json.loads(names)} & {
        "tap-drchrono",
        "drchrono-sandbox",
        "pytest",
        "faker",
    } == {"tap-drchrono"}


def test_it_tells_about_itself_and_discovers(installed, tmp_path):
    about = json.loads(run(installed / "tap-drchrono", "--about", "--format=json"))
    assert about["name"] == "tap-drchrono"
    found = json.loads(run(installed / "tap-drchrono", "--discover", cwd=tmp_path))
    assert len(found["streams"]) == 21
    run(installed / "tap-drchrono-authorize", "--help")


def test_it_syncs(installed, tmp_path):
    practice = Practice.generate(records=20)
    with serve(practice=practice) as served:
        settings = {"api_url": served.url, "access_token": ACCESS_TOKEN}
        config = tmp_path / "settings.json"
        config.write_text(json.dumps(settings), "utf-8")
        output = run(
            installed / "tap-drchrono", "--config", config,
            cwd=tmp_path, env={"PATH": os.defpath},
        )  # fmt: skip
        target = Target().read(output)
        for stream in STREAMS:
            assert len(target.rows(stream)) == len(practice.tables[stream])
    assert target.state
