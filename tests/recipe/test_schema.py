"""What the schema says about itself."""

from typing import Any

from hftoolkit.recipe.schema import Part, Recipe, schema_json


def parts(part: type[Part] = Part) -> list[type[Part]]:
    own = [found for found in part.__subclasses__() if found.__module__.startswith(Recipe.__module__)]
    return own + [inner for found in own for inner in parts(found)]


def test_every_key_is_documented() -> None:
    assert [
        f"{part.__name__}.{name}" for part in parts() for name, key in part.model_fields.items() if not key.description
    ] == []


def test_the_json_schema_knows_the_short_forms() -> None:
    schema = schema_json()
    data: dict[str, Any] = schema["$defs"]["Data"]["properties"]
    assert data["train"]["anyOf"][0] == {"$ref": "#/$defs/Source"}
    assert data["test"]["anyOf"][0] == {"oneOf": [{"$ref": "#/$defs/Split"}, {"$ref": "#/$defs/Source"}]}
    assert schema["required"] == ["task", "model", "data", "output"]
    assert schema["additionalProperties"] is False
