"""The peers of vigie that are compared, in the arrangement that is fastest on this machine."""

from dataclasses import dataclass, replace
from typing import Any

import export
from openvino_peer import OpenVino, has_bf16
from ort_peer import OnnxRuntime
from torch_peer import PyTorch

TRIALS = 2


@dataclass
class Contender:
    """A row of the table; `measure` takes texts and returns posts a second."""

    name: str
    precision: str
    measure: Any
    is_peer: bool = True


def makers(work):
    """(name, precision, what builds the peer from a setting) of each peer that this machine can run."""
    yield "PyTorch", "f32", PyTorch
    yield "ONNX Runtime", "f32", lambda setting: OnnxRuntime(setting, work / export.FUSED)
    yield "ONNX Runtime", "int8", lambda setting: OnnxRuntime(setting, work / export.FUSED_INT8)
    yield "ONNX Runtime, 7 bits", "int8", lambda setting: OnnxRuntime(setting, work / export.FUSED_REDUCED)
    yield "OpenVINO", "f32", lambda setting: OpenVino(setting, work / export.PLAIN, "f32")
    if has_bf16():
        yield "OpenVINO", "bf16", lambda setting: OpenVino(setting, work / export.PLAIN, "bf16")
    yield "OpenVINO", "int8", lambda setting: OpenVino(setting, work / export.PLAIN_INT8, "int8")


def arrangements(setting):
    """All threads on one batch; or, of many batches, one a thread."""
    yield setting
    if setting.mode == "batch" and setting.threads > 1:
        yield replace(setting, workers=setting.threads)


def fastest(make, setting, texts):
    """The peer in the arrangement that was fastest in a few trials."""
    peers = [make(each) for each in arrangements(setting)]
    if len(peers) == 1:
        return peers[0]
    speeds = [max(peer.measure(texts) for _ in range(TRIALS)) for peer in peers]
    return peers[speeds.index(max(speeds))]


def contenders(work, setting, texts, wanted):
    """Each peer whose name `wanted` accepts, ready to be measured; `texts` is what the trials run on."""
    for name, precision, make in makers(work):
        if wanted(name):
            peer = fastest(make, setting, texts)
            workers = peer.setting.workers
            label = name if setting.mode == "single" else f"{name} ({workers} at a time)"
            yield Contender(label, precision, peer.measure)
