"""Where Pulumi starts the pack, as a folder: `pulumi preview --policy-pack <this folder>`.

`python -m policy judge state.json` judges without Pulumi's engine (`command.py`).
"""

import importlib.util
import sys
from pathlib import Path

PACKAGE = "kestra_policy_pack"


def load() -> None:
    """Makes this folder a package, whatever it is called.

    The engine runs the folder as a program: its files would be modules of their own, and hide packages.
    """
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[PACKAGE] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    if __package__:
        from .command import main
    else:
        load()
        main = importlib.import_module(f"{PACKAGE}.command").main
    sys.exit(main())
