"""JupyterLab on a machine whose disk is slow: ``python -m tests.slow_lab``."""

from functools import partial

from jupyterlab.labapp import LabApp

from llm_ext import services
from llm_ext.pool.launcher import ChildProcess

if __name__ == "__main__":
    launch = partial(ChildProcess, module="tests.slow_worker")
    services.build = partial(services.build, launch=launch)
    LabApp.launch_instance()
