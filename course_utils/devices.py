"""What hardware is here, and TensorFlow started quietly on it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop what C++ writes to file descriptor 2, beyond Python's settings; show it if the block raises."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def setup(seed: int = 0, *, deterministic: bool = False, quiet: bool = False) -> ModuleType:
    """Import TensorFlow quietly, let GPU memory grow on demand, seed every generator; returns it.

    deterministic: also forbid operations that vary from run to run; slower on a GPU.
    Prints one line that says what the notebook runs on (not with `quiet`).
    Raises ModuleNotFoundError with the remedy when TensorFlow is missing.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _quiet_stderr():
            import keras
            import tensorflow as tf

            for gpu in tf.config.list_physical_devices("GPU"):  # before an operation touches one
                with contextlib.suppress(RuntimeError):
                    tf.config.experimental.set_memory_growth(gpu, True)
            tf.config.list_logical_devices()
    except ModuleNotFoundError as error:
        remedy = "run `make lab` in the course folder, or `pip install tensorflow keras` here"
        raise ModuleNotFoundError(f"{error}. This notebook needs TensorFlow: {remedy}.") from error
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    if not quiet:
        print(f"TensorFlow {tf.__version__} · Keras {keras.__version__} · {describe()}")
    return tf


def gpu_names() -> list[str]:
    """Names of the GPUs that TensorFlow sees, e.g. ["NVIDIA L4"]; empty without one."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]


def describe() -> str:
    """One line on the hardware: the GPUs by name, or the processor's usable cores."""
    return ", ".join(gpu_names()) or f"no GPU, {cores()} CPU core{'s' if cores() > 1 else ''}"


def cores() -> int:
    """CPU cores this process may use (a container's limit counted, where the system tells)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_mb() -> float:
    """Memory that this process holds now, in MB (resident set)."""
    import psutil

    return psutil.Process().memory_info().rss / 1e6
