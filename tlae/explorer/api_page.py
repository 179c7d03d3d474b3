"""A page that shows the HTTP API, without scripts and without anything from another site."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def api_page(schema: dict[str, Any]) -> str:
    """HTML of an OpenAPI schema.

    Args:
        schema: as FastAPI makes it.
    """
    environment = Environment(
        loader=PackageLoader("tlae.explorer", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    actions = [
        {
            "path": path,
            "verb": verb.upper(),
            "summary": action.get("summary", ""),
            "parameters": [_parameter(one) for one in action.get("parameters", [])],
            "body": _body(action, schema),
            "answers": [(code, a["description"]) for code, a in action["responses"].items()],
        }
        for path, verbs in schema["paths"].items()
        for verb, action in verbs.items()
    ]
    template = environment.get_template("api_page.html.jinja")
    return template.render(title=schema["info"]["title"], info=schema["info"], actions=actions)


def _parameter(parameter: dict[str, Any]) -> str:
    kind = parameter["schema"]
    default = f" = {kind['default']}" if "default" in kind else ""
    return f"{parameter['name']}: {kind.get('type', 'any')}{default}"


def _body(action: dict[str, Any], schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Fields of a JSON request: name and what it is."""
    content = action.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return []
    name = content["schema"]["$ref"].rpartition("/")[2]
    model = schema["components"]["schemas"][name]
    required = model.get("required", [])
    return [
        (field, _field(facts) + (" (required)" if field in required else ""))
        for field, facts in model["properties"].items()
    ]


def _field(facts: dict[str, Any]) -> str:
    kinds = facts.get("anyOf", [facts])
    kind = " or ".join(k.get("type", "object") for k in kinds)
    default = f", default {facts['default']!r}" if facts.get("default") is not None else ""
    description = f": {facts['description']}" if "description" in facts else ""
    return f"{kind}{default}{description}"
