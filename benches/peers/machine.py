"""What the numbers depend on: the processor, its peak, the date and the versions."""

import datetime
import json
import os
import subprocess
from importlib.metadata import version
from pathlib import Path

EXTENSIONS = ["avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16"]
PACKAGES = ["torch", "onnxruntime", "openvino", "nncf", "tokenizers"]


def processor():
    """The model, and which of the extensions that matter here it has."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    fields = dict(map(str.strip, line.split(":", 1)) for line in lines if ":" in line)
    flags = fields["flags"].split()
    has = [name for name in EXTENSIONS if name in flags]
    lacks = [name for name in EXTENSIONS if name not in flags]
    return f"{fields['model name']} (has {', '.join(has) or 'none'}; lacks {', '.join(lacks) or 'none'})"


def commit():
    here = Path(__file__).parent
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=here, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def describe(threads):
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{processor()}; {threads} of {os.cpu_count()} cores; {datetime.date.today()}; "
        f"vigie {commit()}, {versions}; load before the run {os.getloadavg()[0]:.1f}"
    )


def peaks(binary, threads):
    """Operations a second of each precision, as the binary of the bench `peak` measures them; none without a binary."""
    if not binary:
        return {}
    environment = os.environ | {"RAYON_NUM_THREADS": str(threads)}
    output = subprocess.run([binary], check=True, capture_output=True, text=True, env=environment).stdout
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {line["precision"]: 1e9 * line["gops"] for line in lines}
