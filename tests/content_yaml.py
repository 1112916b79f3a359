"""Content files in one YAML form: block style, our order of keys, long text folded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FOLD_FROM = 80


class _Dumper(yaml.SafeDumper):
    """Block style with indented lists, no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists below their key."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Repeat what stands twice."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else ">" if len(text) > FOLD_FROM else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def read(path: Path) -> Any:
    """The content of a YAML file."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def dump(path: Path, content: Any, schema: str | None = None) -> None:
    """Write content to a YAML file, with the editor's pointer to its schema when there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    body = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=88)
    path.write_text(head + body, encoding="utf-8")
