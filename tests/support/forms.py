"""A form as it stands in a page: what a browser would send if nobody touched it."""

from typing import Any

import html5lib

CONTROLS = {"input", "textarea", "select"}


def form_on(text: str, *, holding: str = "") -> dict[str, str]:
    """Read the fields of the one form in the main part of a page, or of the one with a field."""
    forms = html5lib.parse(text, namespaceHTMLElements=False).findall(".//main//form")
    [form] = [
        one
        for one in forms
        if not holding or any(control.get("name") == holding for control in one.iter())
    ]
    return {
        one.get("name"): _value(one)
        for one in form.iter()
        if one.tag in CONTROLS and one.get("name") and not _is_unticked(one)
    }


def _is_unticked(one: Any) -> bool:
    return one.get("type") in {"checkbox", "radio"} and one.get("checked") is None


def _value(one: Any) -> str:
    if one.tag == "textarea":
        return one.text or ""
    if one.tag == "select":
        options = list(one.iter("option"))
        chosen = [option for option in options if option.get("selected") is not None]
        return str((chosen or options)[0].get("value"))
    return one.get("value") or ""
