"""What the script of the images decides before it builds any, and its errors."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.errors import UsageError
from harness.paths import project_root
from harness.setup.pip_settings import pip_settings

SCRIPT = project_root() / "docker" / "build_and_check.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_and_check", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_and_check"] = module
    spec.loader.exec_module(module)
    return module


def call(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(
        command, env={"PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )


def test_an_unknown_step_is_one_line(tmp_path: Path) -> None:
    done = call("gpu", "--storage", str(tmp_path), path=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "error: unknown step gpu; known: cpu, nvidia, test\n"


def test_missing_programs_are_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    storage = tmp_path / "images"
    done = call("cpu", "--storage", str(storage), path=str(tmp_path))
    assert done.returncode == 4
    assert done.stderr.startswith("error: missing here: apt-get install buildah git mmdebstrap")
    assert len(done.stderr.splitlines()) == 1
    assert not storage.exists()


def test_a_folder_of_other_things_is_refused_and_left_alone(
    script: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UsageError, match="other things"):
        script.Images(tmp_path, keep=False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_at_once_in_one_folder_are_refused(script: ModuleType, tmp_path: Path) -> None:
    first = script.Images(tmp_path / "images", keep=True)
    with pytest.raises(UsageError, match="in use"):
        script.Images(tmp_path / "images", keep=False)
    assert first.folder.is_dir()


def test_pips_settings_as_it_lists_them() -> None:
    listing = (
        ":env:.find-links='/wheels'\n"
        "global.find-links='/old'\n"
        "global.extra-index-url='\\nfile:///pypi/simple\\nhttps://index.example/simple'\n"
    )
    assert pip_settings(listing) == {
        "find-links": "/wheels",
        "extra-index-url": "\nfile:///pypi/simple\nhttps://index.example/simple",
    }


def test_a_build_gets_this_machines_sources(script: ModuleType, tmp_path: Path) -> None:
    wheels, index = tmp_path / "wheels", tmp_path / "pypi" / "simple"
    wheels.mkdir()
    index.mkdir(parents=True)
    settings = {
        "find-links": str(wheels),
        "extra-index-url": f"\n{index.as_uri()}\nhttps://index.example/simple",
        "cert": "/certificates.pem",
        "timeout": "60",
    }
    proxies = ['--aptopt=Acquire::http::Proxy "http://proxy.example:3128";']
    sources = script.sources_of(settings, "http://mirror.example/debian", proxies)
    assert sources.arguments == {
        "DEBIAN_MIRROR": "http://mirror.example/debian",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_EXTRA_INDEX_URL": f"{index.as_uri()} https://index.example/simple",
        "http_proxy": "http://proxy.example:3128",
    }
    # The pages of an index point to the files beside it.
    assert set(sources.volumes) == {wheels, index.parent}
    assert sources.certificates == Path("/certificates.pem")


def test_a_machine_without_settings_leaves_the_defaults(script: ModuleType) -> None:
    sources = script.sources_of({}, "http://mirror.example/debian", [])
    assert sources.arguments == {"DEBIAN_MIRROR": "http://mirror.example/debian"}
    assert (sources.volumes, sources.certificates) == ((), None)
