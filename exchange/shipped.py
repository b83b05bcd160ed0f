"""Files of ``deploy/`` that the program needs while it runs.

``deploy/`` holds no Python and so is no package. In a work tree (and in an editable install) it
stands beside ``exchange/``; a wheel carries a copy as ``exchange/_deploy``. Data files inside a
package need none of this: they are found beside the module that reads them.

>>> deploy_file("kafka/pom.xml").name
'pom.xml'
"""

from pathlib import Path

from exchange.errors import ToolMissing

_PACKAGE = Path(__file__).resolve().parent


def deploy_file(relative: str) -> Path:
    """The path of ``deploy/<relative>``; raises `ToolMissing` when the installation lacks it."""
    for root in (_PACKAGE / "_deploy", _PACKAGE.parent / "deploy"):
        path = root / relative
        if path.is_file():
            return path
    raise ToolMissing(
        f"this installation has no deploy/{relative}",
        f"本安装缺少文件 deploy/{relative}",
        remedy=("install the exchange again, or run `make setup`", "请重新安装，或执行 make setup"),
        failure="deploy-file",
    )
