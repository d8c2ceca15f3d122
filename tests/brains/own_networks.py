"""``python -m tests.brains.own_networks NAME FOLDER``: a small network of a user's, and its card.

One of each kind that people bring. A process of its own has the framework that writes the file.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from brains.build import silent
from brains.outcomes import Outcome, make
from brains.training.whole_frames import Part, read_whole_frames
from brains.versions import Network

WIDTH, HEIGHT = 64, 48

TWO_OUTPUTS = """\
network: {file}
sees:
  image: {{input: img_in, crop: [0, 0.4, 1, 1], size: [64, 48], resize: area, scale: 1/255}}
says:
  v: {{output: v_head, gain: 6, offset: 8}}
  w: {{output: w_head, gain: 3}}
"""
FRAMES_IN_TIME = """\
network: {file}
sees:
  image: {{crop: [0, 0.4, 1, 1], size: [64, 48], colour: grey, scale: 1/255}}
  frames: [-2, -1, 0]
  axis: time
says:
  v: {{index: 0, gain: 6, offset: 8}}
  w: {{index: 1, gain: 3}}
"""
TWO_INPUTS = """\
network: {file}
sees:
  image: {{input: camera, crop: [0, 0.4, 1, 1], size: [64, 48], colour: yuv, scale: 1/255,
          offset: -0.5}}
  numbers: {{speed: {{from: measured_speed, scale: 0.1}}}}
says:
  v: {{constant: 6.5}}
  w: {{gain: 3}}
"""
STEERING_ONLY = """\
network: {file}
sees:
  image: {{crop: [0, 0.4, 1, 1], size: [64, 48], scale: 1/255}}
says:
  v: {{constant: 6.5}}
  w: {{gain: 3, limits: [-7.1, 7.1]}}
"""
FED_BACK = """\
network: {file}
sees:
  image: {{input: image, crop: [0, 0.4, 1, 1], size: [64, 48], scale: 1/255}}
says:
  v: {{constant: 6.5}}
  w: {{output: steering, gain: 3}}
keeps: {{h_out: h_in}}
"""
OF_A_CLASS = """\
network: {file}
class: my_network:{class_name}
sees:
  image: {{crop: [0, 0.4, 1, 1], size: [64, 48], layout: nchw, mean: [0.485, 0.456, 0.406],
          deviation: [0.229, 0.224, 0.225]}}
says:
  v: {{index: 0, gain: 6, offset: 8}}
  w: {{index: 1, gain: 3}}
"""
IN_TORCH = """\
network: {file}
sees:
  image: {{crop: [0, 0.4, 1, 1], size: [64, 48], layout: nchw, scale: 1/255}}
says:
  v: {{index: 0, gain: 6, offset: 8}}
  w: {{index: 1, gain: 3}}
"""
FRAMES_IN_CHANNELS = """\
network: {file}
class: my_network:Stacked
sees:
  image: {{crop: [0, 0.4, 1, 1], size: [64, 48], layout: nchw, colour: grey, scale: 1/255}}
  frames: [-2, -1, 0]
  axis: channels
says:
  v: {{output: output_0, gain: 6, offset: 8}}
  w: {{output: output_1, gain: 3}}
"""
MY_NETWORK = '''\
"""A user's own networks."""

import torch
from torch import nn


class Plain(nn.Module):
    """A network with a forward of its own, not a Sequential."""

    def __init__(self, channels=3):
        super().__init__()
        self.eyes = nn.Sequential(
            nn.Conv2d(channels, 8, 5, 4), nn.ReLU(), nn.Conv2d(8, 12, 3, 2), nn.BatchNorm2d(12),
            nn.ReLU(), nn.Flatten(),
        )
        self.hidden = nn.Linear(12 * 5 * 7, 100)
        self.head = nn.Linear(100, 2)

    def forward(self, image):
        return self.head(torch.relu(self.hidden(self.eyes(image))))


class Stacked(Plain):
    """Three grey frames in, a tuple out."""

    def __init__(self):
        super().__init__()

    def forward(self, image):
        both = super().forward(image)
        return both[:, :1], both[:, 1:]


class Recurrent(Plain):
    """An LSTM that starts anew with each frame, as torch's tracer of FX can't follow."""

    def __init__(self):
        super().__init__()
        self.memory = nn.LSTM(100, 16, batch_first=True)
        self.last = nn.Linear(16, 2)

    def forward(self, image):
        # Code of the user's that only runs with real tensors.
        seen = torch.cat([torch.relu(self.hidden(row[None])) for row in self.eyes(image)])
        start = torch.zeros(1, seen.shape[0], 16)
        remembered, _ = self.memory(seen[:, None], (start, start))
        return self.last(remembered[:, -1])
'''


def write_network(name: str, folder: Path) -> Path:
    """Write the network called ``name`` in a process of its own; its card."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.brains.own_networks", name, str(folder)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return folder / f"{name}.yaml"


def write_frames(folder: Path, count: int = 40) -> Path:
    """A folder of images with labels, as others record them; half calibrates, half checks."""
    folder.mkdir(parents=True)
    lines = ["image_name,v,w"]
    parts: list[Part] = ["calibration", "check"]
    for part in parts:
        frames = read_whole_frames(part)
        for row in range(0, len(frames), 2 * len(frames) // count):
            name = f"{len(lines)}.png"
            cv2.imwrite(str(folder / name), frames.frames[row][..., ::-1])
            v_m_s, w_rad_s = frames.labels[row] if frames.labels is not None else (0, 0)
            lines.append(f"{name},{v_m_s},{w_rad_s}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    return folder


def made_here(card: Path, names: Iterable[str]) -> dict[str, Outcome]:
    """Versions of a card's network, made in this process; by method."""
    network = Network(card)
    return {name: make(network.model(name), silent, apart=False) for name in names}


# --- Keras


def _layers_of(layers: Any, image: Any, activation: str) -> Any:
    seen = layers.Conv2D(8, 5, strides=4, activation=activation)(image)
    seen = layers.Conv2D(12, 3, strides=2, activation=activation)(seen)
    return layers.Dense(100, activation=activation)(layers.Flatten()(seen))


def _keras2(activation: str = "relu") -> Any:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tf_keras

    tf_keras.utils.set_random_seed(3)
    layers = tf_keras.layers
    image = layers.Input((HEIGHT, WIDTH, 3), name="img_in")
    seen = _layers_of(layers, image, activation)
    # In this order: converters are known to turn them round.
    outputs = [layers.Dense(1, name="w_head")(seen), layers.Dense(1, name="v_head")(seen)]
    return _lively(tf_keras.Model(image, outputs))


def _lively(network: Any) -> Any:
    """Biases that are not zero, as converters drop those."""
    random = np.random.default_rng(1)
    network.set_weights(
        [
            w + random.uniform(0.01, 0.03, w.shape) if w.ndim == 1 else w
            for w in network.get_weights()
        ]
    )
    return network


def keras2(folder: Path) -> None:
    """Two outputs, named, in the other order than the card's."""
    _keras2().save(folder / "keras2.h5")
    _card(folder, "keras2", "keras2.h5", TWO_OUTPUTS)


def keras2_elu(folder: Path) -> None:
    """Activations that tfmot does not know."""
    _keras2("elu").save(folder / "keras2_elu.h5")
    _card(folder, "keras2_elu", "keras2_elu.h5", TWO_OUTPUTS)


def keras2_lstm(folder: Path) -> None:
    """Looks at three frames at once, by an LSTM."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tf_keras

    tf_keras.utils.set_random_seed(3)
    layers = tf_keras.layers
    network = tf_keras.Sequential(
        [
            layers.Input((3, HEIGHT, WIDTH, 1), name="frames"),
            layers.TimeDistributed(layers.Conv2D(8, 5, strides=4, activation="relu")),
            layers.TimeDistributed(layers.Flatten()),
            layers.LSTM(12),
            layers.Dense(2),
        ]
    )
    _lively(network).save(folder / "keras2_lstm.h5")
    _card(folder, "keras2_lstm", "keras2_lstm.h5", FRAMES_IN_TIME)


def keras3(folder: Path) -> None:
    """Two inputs: a picture and the speed; steering only."""
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    image = layers.Input((HEIGHT, WIDTH, 3), name="camera")
    speed = layers.Input((1,), name="speed")
    seen = layers.Concatenate()([_layers_of(layers, image, "relu"), speed])
    network = keras.Model([image, speed], layers.Dense(1, name="steering")(seen))
    _lively(network).save(folder / "keras3.keras")
    _card(folder, "keras3", "keras3.keras", TWO_INPUTS)


def savedmodel(folder: Path) -> None:
    """A SavedModel of any batch, two outputs."""
    network = _keras2()
    import tensorflow as tf

    def serve(img_in: Any) -> Any:
        w, v = network(img_in)
        return {"v_head": v, "w_head": w}

    spec = tf.TensorSpec((None, HEIGHT, WIDTH, 3), tf.float32, name="img_in")
    module = tf.Module()
    module.network = network
    function = tf.function(serve).get_concrete_function(spec)
    tf.saved_model.save(module, str(folder / "savedmodel"), signatures=function)
    _card(folder, "savedmodel", "savedmodel", TWO_OUTPUTS)


def tflite(folder: Path) -> None:
    """Two outputs, which the converter puts in an order of its own."""
    network = _keras2()
    import tensorflow as tf

    (folder / "tflite.tflite").write_bytes(
        tf.lite.TFLiteConverter.from_keras_model(network).convert()
    )
    _card(folder, "tflite", "tflite.tflite", TWO_OUTPUTS)


# --- ONNX


def onnx(folder: Path) -> None:
    """Channels first, any batch, an old opset, a shape of the output that is not true."""
    import onnx as onnx_

    graph = _onnx_graph([("image", ["batch", 3, HEIGHT, WIDTH])], [("steering", [])])
    model = onnx_.helper.make_model(
        graph, opset_imports=[onnx_.helper.make_opsetid("", 11)], ir_version=7
    )
    onnx_.save(model, folder / "onnx.onnx")
    _card(folder, "onnx", "onnx.onnx", STEERING_ONLY)


def onnx_fed_back(folder: Path) -> None:
    """Keeps a state, which is fed back from call to call."""
    import onnx as onnx_

    graph = _onnx_graph(
        [("image", [1, HEIGHT, WIDTH, 3]), ("h_in", [1, 16])],
        [("steering", [1, 1]), ("h_out", [1, 16])],
        fed_back=True,
    )
    model = onnx_.helper.make_model(
        graph, opset_imports=[onnx_.helper.make_opsetid("", 18)], ir_version=9
    )
    onnx_.save(model, folder / "onnx_fed_back.onnx")
    _card(folder, "onnx_fed_back", "onnx_fed_back.onnx", FED_BACK)


def _onnx_graph(inputs: Any, outputs: Any, *, fed_back: bool = False) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(4)

    def weight(name: str, *shape: int, factor: float = 1.0) -> Any:
        # Of one axis are the biases.
        size = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.02
        values = random.normal(size=shape) * size * factor
        return numpy_helper.from_array(values.astype(np.float32), name)

    node = helper.make_node
    nodes = [
        node(
            "Conv",
            ["picture" if fed_back else "image", "k0", "b0"],
            ["c0"],
            "conv0",
            strides=[4, 4],
        ),
        node("Relu", ["c0"], ["r0"], "relu0"),
        node("Conv", ["r0", "k1", "b1"], ["c1"], "conv1", strides=[2, 2]),
        node("Relu", ["c1"], ["r1"], "relu1"),
        node("Flatten", ["r1"], ["flat"], "flatten"),
        node("Gemm", ["flat", "d0", "e0"], ["h0"], "hidden", transB=1),
        node("Relu", ["h0"], ["seen"], "relu2"),
    ]
    weights = [
        weight("k0", 8, 3, 5, 5),
        weight("b0", 8),
        weight("k1", 12, 8, 3, 3),
        weight("b1", 12),
        weight("d0", 100, 12 * 5 * 7),
        weight("e0", 100),
    ]
    if fed_back:
        nodes.insert(0, node("Transpose", ["image"], ["picture"], "turn", perm=[0, 3, 1, 2]))
        nodes += [
            node("Gemm", ["seen", "d1"], ["new"], "into", transB=1),
            node("Gemm", ["h_in", "d2", "new"], ["state"], "state", transB=1),
            node("Tanh", ["state"], ["h_out"], "tanh"),
            node("Gemm", ["h_out", "d3"], ["steering"], "head", transB=1),
        ]
        weights += [
            weight("d1", 16, 100, factor=0.5),
            weight("d2", 16, 16, factor=0.3),
            weight("d3", 1, 16),
        ]
    else:
        nodes.append(node("Gemm", ["seen", "d1", "e1"], ["steering"], "head", transB=1))
        weights += [weight("d1", 1, 100), weight("e1", 1)]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in side]
        for side in (inputs, outputs)
    ]
    given, answered = ends
    return helper.make_graph(nodes, "steering", given, answered, weights)


# --- PyTorch


def _module(folder: Path, name: str = "Plain") -> Any:
    import torch

    (folder / "my_network.py").write_text(MY_NETWORK)
    sys.path.append(str(folder))
    torch.manual_seed(5)
    import my_network  # type: ignore[import-not-found]

    network = getattr(my_network, name)().eval()
    # Answers that follow the picture, as a trained network's do.
    for weight in network.parameters():
        if weight.dim() > 1:
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu")
    return network


def torch_weights(folder: Path) -> None:
    """A state_dict, and a class in a file beside it."""
    import torch

    torch.save(_module(folder).state_dict(), folder / "torch_weights.pth")
    _card(folder, "torch_weights", "torch_weights.pth", OF_A_CLASS, class_name="Plain")


def torch_lstm(folder: Path) -> None:
    """A network whose code the quantiser can't follow."""
    import torch

    state = {"state_dict": _module(folder, "Recurrent").state_dict(), "epoch": 3}
    torch.save(state, folder / "torch_lstm.ckpt")
    _card(folder, "torch_lstm", "torch_lstm.ckpt", OF_A_CLASS, class_name="Recurrent")


def torch_stacked(folder: Path) -> None:
    """Three grey frames in the channels, two outputs in a tuple."""
    import torch

    torch.save(_module(folder, "Stacked").state_dict(), folder / "torch_stacked.pth")
    _card(folder, "torch_stacked", "torch_stacked.pth", FRAMES_IN_CHANNELS)


def torchscript(folder: Path) -> None:
    """A traced network."""
    import torch

    traced = torch.jit.trace(_module(folder), torch.zeros(1, 3, HEIGHT, WIDTH))
    torch.jit.save(traced, folder / "torchscript.pt")
    _card(folder, "torchscript", "torchscript.pt", IN_TORCH)


def torch_export(folder: Path) -> None:
    """An exported program."""
    import torch

    program = torch.export.export(_module(folder), (torch.zeros(1, 3, HEIGHT, WIDTH),))
    torch.export.save(program, folder / "torch_export.pt2")
    _card(folder, "torch_export", "torch_export.pt2", IN_TORCH)


NETWORKS: dict[str, Callable[[Path], None]] = {
    function.__name__: function
    for function in (
        *(keras2, keras2_elu, keras2_lstm, keras3, savedmodel, tflite, onnx, onnx_fed_back),
        *(torch_weights, torch_lstm, torch_stacked, torchscript, torch_export),
    )
}


def _card(folder: Path, name: str, file: str, text: str, **more: str) -> None:
    (folder / f"{name}.yaml").write_text(text.format(file=file, **more))


if __name__ == "__main__":
    NETWORKS[sys.argv[1]](Path(sys.argv[2]))
