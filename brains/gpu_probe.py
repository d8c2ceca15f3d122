"""What the engines for NVIDIA GPUs say of this machine; run under an environment's interpreter.

``python -m brains.gpu_probe ENVIRONMENT`` prints JSON: what was tried, whether it works, what it
said. Nothing else reaches stdout. Each engine is asked in a process of its own
(``python -m brains.gpu_probe ENVIRONMENT ENGINE``): they don't meet, and that one dies is a
finding.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable

from brains.cuda import cuda
from brains.tftrt import gpu_of_tensorflow, tensorrt_versions
from harness.errors import PitwallError, UnavailableError


def torch_cuda() -> str:
    """PyTorch, and the GPU it sees."""
    torch = cuda()
    return f"{torch.__version__} sees {torch.cuda.get_device_name()}"


def onnx_cuda() -> str:
    """ONNX Runtime with CUDA: a session of one operator must run on the GPU."""
    import onnxruntime  # noqa: PLC0415
    from onnx import TensorProto, helper  # noqa: PLC0415

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise UnavailableError(f"{onnxruntime.__version__} is a build for CPUs")
    onnxruntime.preload_dlls()
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Exp", ["x"], ["y"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CUDAExecutionProvider"]
        )
    except Exception as error:  # the engine's errors share no class but Exception
        raise UnavailableError(f"{onnxruntime.__version__} can't start CUDA") from error
    return f"{onnxruntime.__version__} starts CUDA"


def tensorrt() -> str:
    """TensorRT's Python module, and whether it can build."""
    try:
        import tensorrt as trt  # noqa: PLC0415
    except ImportError as error:
        raise UnavailableError(f"not there ({error}): `make setup EXTRAS=tensorrt`") from error
    try:
        trt.Builder(trt.Logger(trt.Logger.ERROR))
    except TypeError as error:
        raise UnavailableError(f"{trt.__version__} can't use a GPU") from error
    return f"{trt.__version__} can build engines"


def tensorflow_tensorrt() -> str:
    """TensorFlow, and the TensorRT it loads."""
    versions = tensorrt_versions()
    return f"built with TensorRT {versions.linked}, loads {versions.loaded}"


def tensorflow_gpu() -> str:
    """The GPU that TensorFlow sees."""
    return f"TensorFlow sees {gpu_of_tensorflow()}"


PROBES: dict[str, dict[str, Callable[[], str]]] = {
    "cuda": {"PyTorch": torch_cuda, "ONNX Runtime": onnx_cuda, "TensorRT": tensorrt},
    "tftrt": {"TF-TRT": tensorflow_tensorrt, "TensorFlow": tensorflow_gpu},
}


def probe(environment: str) -> list[tuple[str, bool, str]]:
    """What was tried in an environment, whether it works, and what it said."""
    return [(what, *_ask_apart(environment, what)) for what in PROBES[environment]]


def _ask_apart(environment: str, what: str) -> tuple[bool, str]:
    """Whether an engine works, and what it says, asked in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "brains.gpu_probe", environment, what],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it printed nothing"]
        return False, f"its process ended with status {done.returncode}: {lines[-1]}"
    works, said = json.loads(done.stdout)
    return works, said


def _ask(environment: str, what: str) -> tuple[bool, str]:
    try:
        return True, PROBES[environment][what]()
    except PitwallError as error:
        return False, str(error)


def main() -> None:
    """Probes the environment, or one engine of it, that the command line names."""
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    environment, *engine = sys.argv[1:]
    json.dump(_ask(environment, *engine) if engine else probe(environment), answer)
    answer.close()


if __name__ == "__main__":
    main()
