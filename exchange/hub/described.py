"""How raw bodies and errors stand in OpenAPI: FastAPI cannot see either in a signature.

What is written here is checked against the running hub by tests/hub/test_openapi.py.
"""

from typing import Any, Final

from exchange.model.problem import Problem

_MEANING: Final = {
    400: "Malformed; `failure` names the class.",
    401: "Not authenticated: the token, or the signature of the act.",
    403: "The rules refuse it; `rules` names them.",
    404: "No such path, dataset or key.",
    408: "The body took too long.",
    409: "The act stands on the ledger already; `answer` may hold its signed answer.",
    413: "The body is longer than the limit; the connection closes.",
    415: "Another content type.",
    422: "Well-formed and authentic, and refused for the reason that `failure` names.",
    429: "More than this member's or address's share; see Retry-After.",
    503: "Not now; nothing was lost; see Retry-After.",
}

Described = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Described:
    """The ``responses`` of a route: each error it may give, with its meaning."""
    return {status: {"model": Problem, "description": _MEANING[status]} for status in statuses}


def binary(content_type: str, description: str) -> Described:
    """The ``responses`` row of a success in bytes."""
    content = {content_type: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": description, "content": content}}


def body(content_type: str, description: str, bytes_max: int) -> dict[str, Any]:
    """The ``openapi_extra`` of a route that takes raw bytes."""
    schema = {"type": "string", "format": "binary", "maxLength": bytes_max}
    return {
        "requestBody": {
            "required": True,
            "description": description,
            "content": {content_type: {"schema": schema}},
        }
    }


def with_token(extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """The ``openapi_extra`` of a route that needs a request token."""
    return {**(extra or {}), "security": [{"member": []}]}


SECURITY_SCHEMES: Final = {
    "member": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": (
            "`Exchange ` and the base64url COSE_Sign1 of exchange/hub/SPEC.md, Request token: "
            "good once, for one method, path, query and body, within 60 s."
        ),
    }
}
