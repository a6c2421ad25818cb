"""What a runtime's exception means, in our words."""

import re

from packshot.errors import ModelFailure, OutOfMemory

#: What the allocators of ONNX Runtime, CUDA, cuBLAS, cuDNN and oneDNN say when there is no room.
_NO_ROOM = re.compile(
    r"failed to allocate memory|out of memory|bad allocation|bad_alloc|"
    r"CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|smaller than requested bytes",
    re.IGNORECASE,
)


def translated(name: str, what: str, error: Exception) -> ModelFailure:
    """The error of ours for a failure of the model `name`, which cannot `what`."""
    # OpenVINO begins with the places in its own source that an error went through.
    lines = [line for line in str(error).splitlines() if not line.startswith("Exception from ")]
    text = " ".join(" ".join(lines).split()) or type(error).__name__
    if isinstance(error, MemoryError) or _NO_ROOM.search(text):
        return OutOfMemory(
            f"The device has no room for {name}: lower the batch or load fewer models."
        )
    return ModelFailure(f"{name} cannot {what}: {text}")
