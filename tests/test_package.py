"""The package as a whole: what it exports, imports and ships."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

import hatch_build
import nbkeras

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nbkeras"
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if "frontend" not in path.parts and path.name != "__main__.py"
)


def source_of(module: str) -> Path:
    """The file of a module."""
    path = ROOT.joinpath(*module.split("."))
    file = path.with_suffix(".py")  # widgets has a module and a folder called static
    return file if file.is_file() else path / "__init__.py"


def declared_all(module: str) -> list[str] | None:
    """A module's literal ``__all__``, read without importing it."""
    for node in ast.parse(source_of(module).read_text("utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            try:
                return list(ast.literal_eval(node.value))
            except ValueError:
                return None  # computed
    return None


@pytest.mark.parametrize("module", [name for name in MODULES if declared_all(name) is not None])
def test_all_is_true(module: str) -> None:
    """That it is sorted is ruff's to see."""
    names = declared_all(module)
    assert len(names) == len(set(names))
    imported = importlib.import_module(module)
    assert [name for name in names if not hasattr(imported, name)] == []


def test_every_module_imports() -> None:
    for module in MODULES:
        importlib.import_module(module)


def test_every_folder_of_sources_is_a_package() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py") if "frontend" not in path.parts}
    assert [
        str(path.relative_to(ROOT)) for path in folders if not (path / "__init__.py").exists()
    ] == []


@pytest.mark.parametrize("module", MODULES)
def test_nothing_reaches_for_tf_keras(module: str) -> None:
    """The import rules see imports; this sees attributes."""
    tree = ast.parse(source_of(module).read_text("utf-8"))
    reached = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "keras"
        and isinstance(node.value, ast.Name)
        and node.value.id in {"tf", "tensorflow"}
    ]
    assert reached == []


def third_party(module: str) -> set[str]:
    """The packages of others that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source_of(module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"nbkeras"}


# What comes with a dependency, and what is only used where a kernel has brought it along.
WITH_IPYWIDGETS = {"comm", "traitlets"}
WITH_LOKY = {"cloudpickle"}
WITH_TENSORFLOW = {"google"}  # protobuf
IF_INSTALLED = {"pydot", "sklearn", "tensorboard"}  # what needs them says what to install
WITH_A_KERNEL = {"jupyter_client", "zmq"}


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.match(r"[\w.-]+", line)[0].lower() for line in project["dependencies"]}
    modules = {name for names in map(third_party, [*MODULES, "nbkeras.__main__"]) for name in names}
    distributions = importlib.metadata.packages_distributions()
    undeclared = {
        name
        for name in modules
        - WITH_IPYWIDGETS
        - WITH_LOKY
        - WITH_A_KERNEL
        - WITH_TENSORFLOW
        - IF_INSTALLED
        if not {d.lower() for d in distributions.get(name, [name])} & declared
    }
    assert undeclared == set()


def in_new_python(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "module", ["nbkeras", "nbkeras.events", "nbkeras.widgets", "nbkeras.magics"]
)
def test_import_leaves_tensorflow_alone(module: str) -> None:
    loaded = in_new_python(
        f"import sys, {module}; print(*sorted({{'tensorflow', 'keras'}} & set(sys.modules)))"
    )
    assert loaded == ""


def test_import_nbkeras_is_light() -> None:
    heavy = "{'IPython', 'anywidget', 'h5py', 'ipywidgets', 'matplotlib', 'numpy'}"
    assert in_new_python(f"import sys, nbkeras; print(*sorted({heavy} & set(sys.modules)))") == ""


def test_load_ext_leaves_tensorflow_to_a_thread_behind_it() -> None:
    where = in_new_python(
        "import builtins, sys, threading\n"
        "from IPython.testing.globalipapp import start_ipython\n"
        "shell = start_ipython()\n"
        "real, importers = builtins.__import__, []\n"
        "def spy(name, *rest, **named):\n"
        "    if name.split('.')[0] == 'tensorflow':\n"
        "        importers.append(threading.current_thread() is threading.main_thread())\n"
        "    return real(name, *rest, **named)\n"
        "builtins.__import__ = spy\n"
        "shell.run_line_magic('load_ext', 'nbkeras')\n"
        "builtins.__import__ = real\n"
        "print(any(importers))\n"
        "import os; sys.stdout.flush(); os._exit(0)\n"
    )
    assert where.splitlines()[-1] == "False"


def test_keras_is_an_alias_of_core() -> None:
    code = (
        "from nbkeras import keras; import nbkeras.core; print(keras.layers is nbkeras.core.layers)"
    )
    assert in_new_python(code) == "True"


# ---------------------------------------------------------------- what is shipped


def copy_of_sources(folder: Path) -> Path:
    """All that a wheel is made of, but no built front-end."""
    source = folder / "source"
    source.mkdir()
    for name in ("LICENSE", "README.md", "hatch_build.py", "pyproject.toml"):
        shutil.copy2(ROOT / name, source)
    ignore = shutil.ignore_patterns("node_modules", "__pycache__", "static")
    shutil.copytree(PACKAGE, source / "nbkeras", ignore=ignore)
    return source


def build_without_npm(source: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel into the sources' parent folder, where no npm is to be found."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(source.parent)],
        cwd=source,
        env={**os.environ, "PATH": "", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """A wheel from sources whose front-end is built."""
    source = copy_of_sources(tmp_path_factory.mktemp("wheel"))
    static = source / "nbkeras" / "widgets" / "static"
    static.mkdir()
    (static / "training.js").write_text("export default {};\n", "utf-8")
    done = build_without_npm(source)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(source.parent.glob("*.whl"))) as file:
        yield file


def test_wheel_holds_the_built_views_and_no_typescript(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "nbkeras/widgets/static/training.js" in names
    assert "nbkeras/py.typed" in names
    assert [name for name in names if name.endswith((".ts", ".tsx", "package.json"))] == []
    assert [name for name in names if name.split("/")[0] in {"tests", "examples"}] == []


def test_wheel_holds_every_module(wheel: zipfile.ZipFile) -> None:
    modules = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*.py")
        if "frontend" not in path.parts
    }
    assert modules <= set(wheel.namelist())


def test_wheel_offers_the_kernel(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith("kernels/nbkeras/kernel.json")]
    assert ".data/data/share/jupyter/" in name
    spec = json.loads(wheel.read(name))
    assert spec["display_name"] == "Python (nbkeras)"
    assert "--ext=nbkeras" in spec["argv"]


def test_wheel_says_its_version_and_extras(wheel: zipfile.ZipFile) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = Parser().parsestr(wheel.read(name).decode())
    assert metadata["Version"] == nbkeras.__version__
    assert {"bench", "lab", "test"} <= set(metadata.get_all("Provides-Extra"))


def test_without_npm_a_wheel_is_built_and_one_line_says_what_it_lacks(tmp_path: Path) -> None:
    done = build_without_npm(copy_of_sources(tmp_path))
    assert done.returncode == 0, done.stderr
    said = [line for line in (done.stdout + done.stderr).splitlines() if "npm " in line]
    assert said == ["nbkeras: npm was not found; views will be text and HTML."]
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as file:
        assert "nbkeras/widgets/__init__.py" in file.namelist()


def test_a_release_without_the_front_end_is_refused(tmp_path: Path) -> None:
    done = build_without_npm(copy_of_sources(tmp_path), NBKERAS_REQUIRE_FRONTEND="1")
    assert done.returncode != 0
    assert "npm was not found" in done.stdout + done.stderr


def test_front_end_is_built_when_missing_or_older_than_a_source(tmp_path: Path) -> None:
    source = tmp_path / hatch_build.FRONTEND / "views" / "training.ts"
    bundle = tmp_path / hatch_build.STATIC / "training.js"
    source.parent.mkdir(parents=True)
    source.write_text("", "utf-8")
    assert not hatch_build.is_current(tmp_path)

    bundle.parent.mkdir(parents=True)
    bundle.write_text("", "utf-8")
    os.utime(source, (100, 100))
    os.utime(bundle, (200, 200))
    assert hatch_build.is_current(tmp_path)

    os.utime(source, (300, 300))
    assert not hatch_build.is_current(tmp_path)
