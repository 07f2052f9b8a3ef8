"""ONNX Runtime in f32 and int8, on the graphs with its fused operators."""

import onnxruntime
from peer import Peer


class OnnxRuntime(Peer):
    def __init__(self, setting, path):
        super().__init__(setting)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = setting.threads_each
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def forward(self, ids, mask):
        return self.session.run(None, {"ids": ids, "mask": mask})[0]
