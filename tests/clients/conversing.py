"""What every client is asked to do."""

from typing import Any

from pydantic import BaseModel, Field

SUM = "What is 2+2?"
WEATHER = "What is the weather in Paris?"
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 12}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


class Grade(BaseModel):
    """An answer that has to be of this shape."""

    passed: bool
    points: int = Field(ge=0, le=9)
