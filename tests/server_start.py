"""Starting the extension in a test's own server."""

from jupyter_server.serverapp import ServerApp


async def start(app: ServerApp) -> None:
    """Let the services run, as Jupyter does once it listens."""
    await app.extension_manager.start_all_extensions()  # type: ignore[no-untyped-call]  # Jupyter's
