"""Fixes requests that schemathesis takes for valid and JSON Schema can't describe.

The description can't say which characters are shown, which contents have warnings, which cursors a list returned, which
users are a customer's members, which revisions, environments and versions exist, which idempotency keys were used, that
names of tools are unique, that a confirmation needs a plan and a plan an activation, that no text in JSON contains
U+0000, or that 1e300 is a number for the service, 1e18 an integer that is too large, and 10**300 one that no double
holds. So these hooks replace such values with valid ones. Requests that are wrong on purpose stay wrong.
"""

import os
import unicodedata
import uuid

import schemathesis
from schemathesis import GenerationMode

INTEGER_MAX = 2**53 - 1
EXPONENT_FROM = 1e21
NAME_CHARS_MAX = 200
FILLERS = "\u034f\u17b4\u17b5\u3164\uffa0"


def storable(value):
    """The same JSON without U+0000, and without numbers that the canonical form writes as integers that are too large."""
    if isinstance(value, str):
        return value.replace("\0", "0")
    if isinstance(value, (int, float)) and abs(value) > INTEGER_MAX:
        return max(float(value), EXPONENT_FROM) if value > 0 else min(float(value), -EXPONENT_FROM)
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, dict):
        return {storable(name): storable(one) for name, one in value.items()}
    return value


def visible(name):
    """The same name in normal form C, with an x for each character that isn't shown or not in Unicode yet."""
    hidden = {"Cf", "Cn", "Zl", "Zp", "Zs"}
    shown = ["x" if unicodedata.category(one) in hidden or one in FILLERS else one for one in unicodedata.normalize("NFC", name)]
    return "".join(shown)[:NAME_CHARS_MAX]


def fit_content(content):
    """Makes the content of a version acceptable."""
    if content.get("model_name"):
        content["model_name"] = visible(content["model_name"])
    if content.get("refuse_warnings"):
        content["refuse_warnings"] = False
    if content.get("model_parameters") is not None:
        content["model_parameters"] = storable(content["model_parameters"])
    for number, tool in enumerate(content.get("tools") or []):
        tool["name"] = f"{number} {tool['name']}"[:NAME_CHARS_MAX]
        for member in set(tool) - {"name"}:
            tool[storable(member)] = storable(tool.pop(member))


def fit_activation(body):
    """Names the environment and the version that exist, and confirms nothing without a plan."""
    if body.get("environment") is not None:
        body["environment"] = "production"
    if body.get("version_id") is not None:
        body["version_id"] = None
    if body.get("plan_hash") is None or not body.get("activate"):
        for field in {"confirm", "plan_hash"} & set(body):
            body[field] = None


@schemathesis.hook
def before_call(context, case, kwargs):
    query, body, headers = case.query, case.body, case.headers
    # The service waits for a revision that doesn't exist yet, and then returns 503, whatever else is wrong.
    if query and str(query.get("at_least", "")).isascii() and str(query.get("at_least", "")).isdigit():
        query["at_least"] = min(int(query["at_least"]), int(os.environ["REVISION"]))
    if case.meta is not None and case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if query and "after" in query:
        # A cursor is of the list without filters.
        case.query = query = {"limit": query.get("limit", 1), "after": os.environ["CURSOR"]}
    if headers and "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    if isinstance(body, dict):
        if body.get("owner_id") is not None:
            body["owner_id"] = os.environ["OWNER"]
        if "tools" not in body and isinstance(body.get("name"), str):
            body["name"] = visible(body["name"])
        for content in (body, body.get("content")):
            if isinstance(content, dict):
                fit_content(content)
        fit_activation(body)
