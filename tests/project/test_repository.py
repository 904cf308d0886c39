"""What stands around the code: workflows, their rights, and the map for contributors.

`./dev check` runs the linters for workflows and other YAML; here is what they can't
know.
"""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text("utf-8"))
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
JOBS = {
    f"{workflow}:{name}": job
    for workflow, content in WORKFLOWS.items()
    for name, job in content["jobs"].items()
}

each_job = pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)


def supported_versions():
    """The Python versions of the classifiers."""
    prefix = "Programming Language :: Python :: 3."
    return [
        classifier.rsplit(" ", 1)[-1]
        for classifier in PROJECT["project"]["classifiers"]
        if classifier.startswith(prefix)
    ]


def test_every_supported_python_is_tested():
    matrix = JOBS["ci.yml:test"]["strategy"]["matrix"]["python-version"]
    assert matrix == supported_versions()
    assert PROJECT["project"]["requires-python"] == f">={matrix[0]}"


def test_the_newest_sdk_may_fail():
    failing = [name for name, job in JOBS.items() if job.get("continue-on-error")]
    assert failing == ["ci.yml:sdk-prerelease"]
    assert "--pre singer-sdk" in str(JOBS["ci.yml:sdk-prerelease"]["steps"])


@each_job
def test_actions_are_pinned_by_commit(job):
    for step in job["steps"]:
        assert re.fullmatch(
            r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40)
        )


def test_each_action_has_one_pin_with_its_version():
    pins = {}
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for line in path.read_text("utf-8").splitlines():
            if "uses:" in line:
                found = re.search(r"uses: (\S+)@(\S+) # (v\d+\.\d+\.\d+)$", line)
                assert found, line
                pins.setdefault(found[1], set()).add(found.groups()[1:])
    assert pins
    assert all(len(versions) == 1 for versions in pins.values())


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_workflows_have_no_rights_of_their_own(workflow):
    assert workflow["permissions"] == {}


@each_job
def test_jobs_only_read_or_publish(job):
    assert job["permissions"] in ({"contents": "read"}, {"id-token": "write"})
    assert job["timeout-minutes"] <= 30


def test_only_a_tag_publishes_and_only_what_was_tested():
    # YAML reads the key `on` as true.
    assert WORKFLOWS["release.yml"][True] == {"push": {"tags": ["v*"]}}
    publishing = [
        name for name, job in JOBS.items() if "id-token" in job["permissions"]
    ]
    assert publishing == ["release.yml:publish"]
    publish = JOBS["release.yml:publish"]
    assert publish["environment"]
    assert publish["needs"] == "build"
    assert not any("run" in step for step in publish["steps"])
    commands = [step.get("run", "") for step in JOBS["release.yml:build"]["steps"]]
    assert "python dev test" in commands
    assert "python dev check" in commands


@each_job
def test_no_job_keeps_a_secret(job):
    assert "secrets." not in str(job)
    for step in job["steps"]:
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_nobody_owns_the_code():
    assert not list(ROOT.rglob("CODEOWNERS"))


@pytest.mark.parametrize("package", ["tap_drchrono", "sandbox/drchrono_sandbox"])
def test_the_map_names_every_room(package):
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    places = [path for path in (ROOT / package).iterdir() if path.name[0] != "_"]
    rooms = {f"{path.name}/" for path in places if path.is_dir()}
    rooms |= {path.name for path in places if path.suffix == ".py"}
    assert {name for name in rooms if f"`{name}`" not in text} == set()


def test_the_map_names_nothing_else():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"`(\w+\.py)`", text))
    places = ("tap_drchrono", "sandbox/drchrono_sandbox", "tests", "docs", "bench")
    there = {path.name for place in places for path in (ROOT / place).rglob("*.py")}
    assert named - there == set()


# The container image


def ignored(path):
    """Whether .dockerignore keeps a path out of the build; the last match decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!").strip("/")
        parents = [path, *(str(parent) for parent in Path(path).parents)]
        if any(
            fnmatch.fnmatchcase(one, pattern)
            or fnmatch.fnmatchcase(one, pattern.removeprefix("**/"))
            for one in parents
        ):
            out = not rule.startswith("!")
    return out


def instructions():
    """The instructions of the Dockerfile, with continued lines joined."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def test_the_image_gets_what_it_copies():
    copied = [
        source
        for name, rest in instructions()
        if name == "COPY"
        for source in rest.split()[:-1]
    ]
    assert "meltano.yml" in copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert not ignored(source.rstrip("/")), source


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".git/config",
        ".tap-drchrono/credentials-0.json",
        ".meltano/meltano.db",
        ".venv/bin/python",
        ".dev/demo/credentials.json",
        "drchrono.duckdb",
        "output/patients.jsonl",
        "credentials.json",
        "tap_drchrono/__pycache__/tap.pyc",
    ],
)
def test_the_image_gets_nothing_private(path):
    assert ignored(path)


def test_the_image_runs_as_a_user_on_a_supported_python():
    steps = instructions()
    image = next(rest for name, rest in steps if name == "FROM")
    assert re.match(r"python:(3\.\d+)-slim", image)[1] in supported_versions()
    users = [rest for name, rest in steps if name == "USER"]
    assert users
    assert users[-1] not in {"root", "0"}
    volume = next(rest for name, rest in steps if name == "VOLUME")
    assert f"TAP_DRCHRONO_CREDENTIALS_PATH={volume}/" in str(steps)


def test_the_image_installs_plugins_that_there_are():
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))["plugins"]
    names = {plugin["name"] for kind in plugins.values() for plugin in kind}
    installed = [
        name
        for instruction, rest in instructions()
        if instruction == "RUN"
        for name in re.findall(r"meltano install \w+ ([\w-]+)", rest)
    ]
    assert "tap-drchrono" in installed
    assert set(installed) <= names
    run = json.loads(next(rest for name, rest in instructions() if name == "CMD"))
    assert run == ["run", *installed]
