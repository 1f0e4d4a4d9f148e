"""``%llm list | ps | use | load | unload | rm | pull``: the models of the server."""

from argparse import Namespace
from typing import Any

from IPython.core.error import UsageError

from kernel_magics.consent import replied
from kernel_magics.errors import DownloadFailedError, StoppedError
from kernel_magics.render.bundles import markdown_bundle
from kernel_magics.render.output import cleared_by_errors
from kernel_magics.render.tables import (
    download_figures,
    model_table,
    size,
    used,
    worker_table,
)

from .arguments import Parser
from .command import Command, one_model
from .session import Session

_LOAD_OPTIONS: tuple[tuple[str, type[Any], str, str], ...] = (
    ("context-length", int, "TOKENS", "2048 4096 8192 16384 32768"),
    ("slots", int, "N", "1 2 4 8"),
    ("gpu-layers", str, "N", "all auto 0"),
    ("threads", int, "N", "1 2 4 8"),
    ("kv-type", str, "TYPE", "f16 q8_0 q5_1 q5_0 q4_1 q4_0 bf16 f32"),
    ("flash-attention", str, "on|off|auto", "on off auto"),
)
"""Name, type, how help writes the value, and some that Tab offers."""


def _list(session: Session, _arguments: Namespace) -> None:
    session.show(model_table(session.client.models(), session.options.model))


def _ps(session: Session, _arguments: Namespace) -> None:
    models = session.client.models()["models"]
    held = [m for m in models if m["state"] not in ("unloaded", "failed")]
    session.show(worker_table(held) if held else "No model is loaded.")


def _use(session: Session, arguments: Namespace) -> None:
    if arguments.reset:
        session.options.model = ""
    elif arguments.name:
        session.options.model = session.client.model(arguments.name)["id"]
    name, own = session.model(), bool(session.options.model)
    why = "chosen for this notebook" if own else "the server's default"
    session.show(f"Questions go to **{name}**, {why}.")


def _load(session: Session, arguments: Namespace) -> None:
    name, client = arguments.name, session.client
    progress = client.load(
        name,
        options=_load_options(arguments) or None,
        keep_alive=arguments.keep_alive,
        pinned=True if arguments.pin else None,
    )
    try:
        with cleared_by_errors(session.output()) as shown:
            shown.progress(f"{name}: loading", 0.0)
            for status in progress:
                shown.progress(f"{name}: {status.text}", status.fraction)
    except KeyboardInterrupt:
        raise StoppedError(
            f"the model goes on loading; '%llm unload {name} --force' gives it up."
        ) from None
    shown.finish(markdown_bundle(_loaded(client.model(name))))


def _loaded(model: dict[str, Any]) -> str:
    text = f"**{model['id']}** is loaded: {model['description']}, "
    text += f"context {model['context_length']} tokens"
    return f"{text}, {size(used(model))} of memory." if used(model) else f"{text}."


def _load_options(arguments: Namespace) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for option, *_ in _LOAD_OPTIONS:
        field = option.replace("-", "_")
        value = getattr(arguments, field)
        if value is not None:
            options[field] = value
    layers = options.get("gpu_layers", "")
    if layers.lstrip("-").isdigit():
        options["gpu_layers"] = int(layers)
    if arguments.fit:
        options["fit"] = True
    return options


def _unload(session: Session, arguments: Namespace) -> None:
    model = session.client.unload(arguments.name, force=arguments.force)
    session.show(f"**{model['id']}** is unloaded; its memory is free.")


def _rm(session: Session, arguments: Namespace) -> None:
    model = session.client.model(arguments.name)
    what = f"{model['path']} ({size(model['size'])})"
    if not arguments.yes and not _confirmed(f"Delete {what}? [y]es, [n]o: "):
        session.show("Nothing was deleted.")
        return
    session.client.delete(model["id"])
    session.show(f"**{model['id']}** is deleted.")


def _confirmed(question: str) -> bool:
    reply = replied(question)
    if reply is None:
        raise UsageError("Nobody can be asked here: add --yes.")
    return reply.startswith("y")


def _pull(session: Session, arguments: Namespace) -> None:
    reference, client = arguments.reference, session.client
    last: dict[str, Any] = {}
    try:
        with cleared_by_errors(session.output()) as shown:
            shown.progress(f"{reference}: asking the hub", None)
            for last in client.pull(reference):
                doing = f"{reference}: {last['state']}"
                fraction = last["done"] / last["total"] if last["total"] else None
                shown.progress(doing, fraction, download_figures(last))
            if last.get("state") != "done":
                raise DownloadFailedError.of(last)
    except KeyboardInterrupt:
        if last:
            client.post(f"downloads/{last['id']}/pause")
        raise StoppedError(
            f"the download is paused; '%llm pull {reference}' goes on with it."
        ) from None
    name = last["model"] or reference
    text = f"**{name}** is here ({size(last['done'])}); '%%llm {name}' asks it."
    shown.finish(markdown_bundle(text))


def commands() -> dict[str, Command]:
    """Return the commands of this file by their names."""
    use = Parser("use")
    use.add_argument("name", nargs="?", metavar="NAME")
    use.add_argument("--reset", action="store_true")
    load = one_model("load")
    for option, kind, shown, _ in _LOAD_OPTIONS:
        load.add_argument(f"--{option}", type=kind, metavar=shown)
    load.add_argument("--fit", action="store_true")
    load.add_argument("--keep-alive", metavar="TIME")
    load.add_argument("--pin", action="store_true")
    unload = one_model("unload")
    unload.add_argument("--force", action="store_true")
    rm = one_model("rm")
    rm.add_argument("-y", "--yes", action="store_true")
    pull = Parser("pull")
    pull.add_argument("reference", metavar="REF")
    return {
        "list": Command(
            summary="the models on this server and their states",
            parser=Parser("list"),
            run=_list,
        ),
        "ps": Command(
            summary="the loaded models: memory, requests, how long they stay",
            parser=Parser("ps"),
            run=_ps,
        ),
        "use": Command(
            summary="ask this model in this notebook; `--reset` returns to the default",
            parser=use,
            run=_use,
            completes="models",
        ),
        "load": Command(
            summary="load a model now; it also loads by itself when it is asked",
            parser=load,
            run=_load,
            completes="models",
            values={
                f"--{option}": tuple(offered.split())
                for option, _, _, offered in _LOAD_OPTIONS
            },
        ),
        "unload": Command(
            summary="give its memory back; `--force` ends running requests",
            parser=unload,
            run=_unload,
            completes="models",
        ),
        "pull": Command(
            summary="download a model, such as `hf:org/repo:Q4_K_M`",
            parser=pull,
            run=_pull,
        ),
        "rm": Command(
            summary="delete a model's files, after a question; `--yes` answers it",
            parser=rm,
            run=_rm,
            completes="models",
        ),
    }
