"""Blocks of code in Markdown: made, and taken out of an answer."""


def fenced(text: str, language: str = "") -> str:
    """Return ``text`` as a block of code, whatever fences it holds itself."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def without_fences(text: str) -> str:
    """Return what stands between code fences, if the whole text is one block."""
    lines = text.strip().splitlines()
    whole = len(lines) > 1 and lines[0].startswith("```") and lines[-1] == "```"
    return "\n".join(lines[1:-1]) if whole else text.strip()


def code_of(text: str) -> str:
    """Return the first fenced block of ``text``; all of it where there is none."""
    block: list[str] | None = None
    for line in text.strip().splitlines():
        if line.lstrip().startswith("```"):
            if block is not None:
                break
            block = []
        elif block is not None:
            block.append(line)
    return text.strip() if block is None else "\n".join(block)
