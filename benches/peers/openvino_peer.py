"""OpenVINO in f32, bf16 and int8."""

import openvino
from peer import Peer


def has_bf16():
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVino(Peer):
    """With several workers it runs its streams itself, by the hint for throughput; else by the hint for latency."""

    def __init__(self, setting, path, precision):
        super().__init__(setting)
        hint = "LATENCY" if setting.workers == 1 else "THROUGHPUT"
        options = {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": setting.threads}
        if precision != "int8":  # there, OpenVINO chooses what the rest is computed in
            options["INFERENCE_PRECISION_HINT"] = precision
        model = openvino.Core().compile_model(path, "CPU", options)
        self.request, self.queue = model.create_infer_request(), openvino.AsyncInferQueue(model)

    def forward(self, ids, mask):
        return self.request.infer({"ids": ids, "mask": mask}, share_inputs=True, share_outputs=True)[0]

    def fill(self, vectors, work):
        if self.setting.workers == 1:
            super().fill(vectors, work)
            return

        def keep(request, chosen):
            vectors[chosen] = request.get_output_tensor(0).data

        self.queue.set_callback(keep)
        for chosen, ids, mask in work:
            self.queue.start_async({"ids": ids, "mask": mask}, chosen)
        self.queue.wait_all()
