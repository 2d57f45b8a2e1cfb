"""What JSON Schema cannot say, for the requests that schemathesis holds to be right.

The description cannot tell which cursors a list gave out, who a customer's members are, which commits there are, which
idempotency keys were used, that tools' names are unique, that no text within JSON has U+0000, or that 1e300 is a number for us, 1e18 an integer that is too
large, and 10**300 one that no double holds. So these become what they are in a right request. What is wrong on purpose stays wrong.
"""

import os
import uuid

import schemathesis
from schemathesis import GenerationMode

INTEGER_MAX = 2**53 - 1
EXPONENT_FROM = 1e21
NAME_CHARS_MAX = 200


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


@schemathesis.hook
def before_call(context, case, kwargs):
    query, body, headers = case.query, case.body, case.headers
    # A commit that is not there yet is waited for in vain, and answered 503, whatever else is wrong.
    if query and str(query.get("at_least", "")).isascii() and str(query.get("at_least", "")).isdigit():
        query["at_least"] = min(int(query["at_least"]), int(os.environ["REVISION"]))
    if case.meta is not None and case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if query and "after" in query:
        query["after"] = os.environ["CURSOR"]
    if headers and "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    if isinstance(body, dict):
        if body.get("owner_id") is not None:
            body["owner_id"] = os.environ["OWNER"]
        if body.get("model_parameters") is not None:
            body["model_parameters"] = storable(body["model_parameters"])
        for number, tool in enumerate(body.get("tools") or []):
            tool["name"] = f"{number} {tool['name']}"[:NAME_CHARS_MAX]
            if tool.get("input_schema") is not None:
                tool["input_schema"] = storable(tool["input_schema"])
