"""The models that are loaded, each in a worker process of its own.

Everything here runs on the server's event loop. Threads only carry bytes between the
loop and a worker's pipes.
"""
