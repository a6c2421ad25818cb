"""A Dockerfile as data, and the rules that a linter does not know."""

import re
from dataclasses import dataclass, field

#: CUDA that a release of onnxruntime-gpu is built against: its wheel's metadata asks for it.
CUDA_OF = {"1.31": "13.0"}
#: What builds programs has no place in an image that runs them.
_COMPILERS = re.compile(r"\b(gcc|g\+\+|clang|make|build-essential|python3-dev|cuda-toolkit)\b")


@dataclass(slots=True)
class Image:
    """One stage: its base, its name and its instructions, joined over line ends."""

    base: str
    name: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def of(self, instruction: str) -> list[str]:
        """The arguments of every such instruction."""
        return [rest for word, rest in self.lines if word == instruction]


def stages(text: str) -> dict[str, Image]:
    """The stages of a Dockerfile by name; what stands before the first FROM is called ''."""
    found = {"": Image("", "")}
    current = found[""]
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            current = found[name] = Image(base, name)
        else:
            current.lines.append((word, rest))
    return found


def ancestry(found: dict[str, Image], name: str) -> list[Image]:
    """A stage and the stages that it is based on."""
    chain = [found[name]]
    while chain[-1].base in found:
        chain.append(found[chain[-1].base])
    return chain


def problems(text: str, targets: tuple[str, ...], gpu_lock: str) -> list[str]:
    """What is wrong with the images that are shipped, one sentence each."""
    found = stages(text)
    told = [f"{target}: no such target" for target in targets if target not in found]
    for target in set(targets) & found.keys():
        told += [f"{target}: {problem}" for problem in _shipped(found, target)]
    for line in found[""].of("ARG"):
        if "IMAGE=" in line and not re.search(r":\d[\w.]*-", line):
            told.append(f"{line}: the base is not pinned to a release")
    told += _cuda(found, gpu_lock)
    return told


def _shipped(found: dict[str, Image], target: str) -> list[str]:
    image = found[target]
    labels = " ".join(image.of("LABEL"))
    users = image.of("USER") or ["root"]
    entries = image.of("ENTRYPOINT") or ["none"]
    named = ("title", "licenses", "version", "revision")
    rules = {
        "must run as a numeric user that is not root": re.fullmatch(
            r"[1-9]\d{3,}:[1-9]\d{3,}", users[-1]
        ),
        "no HEALTHCHECK": image.of("HEALTHCHECK"),
        "the entry point must be a list: a shell swallows SIGTERM": entries[-1].startswith("["),
        "copies sources into the result": not any(
            re.match(r"(--\S+ )*\S*(/src|\.) ", line) for line in image.of("COPY")
        ),
        **{f"no label {name}": f"opencontainers.image.{name}=" in labels for name in named},
    }
    told = [problem for problem, kept in rules.items() if not kept]
    for line in (line for one in ancestry(found, target) for line in one.of("RUN")):
        if _COMPILERS.search(line):
            told.append(f"a compiler in the result: {line[:60]}")
        if "pip install" in line:
            told.append("installs into the result: copy a finished venv")
    return told


def _cuda(found: dict[str, Image], gpu_lock: str) -> list[str]:
    runtime = re.search(r"(?m)^onnxruntime-gpu==(\d+\.\d+)", gpu_lock)
    base = next((line for line in found[""].of("ARG") if line.startswith("CUDA_IMAGE=")), "")
    if runtime is None or runtime[1] not in CUDA_OF:
        return ["onnxruntime-gpu: look up which CUDA this release is built against"]
    wanted = CUDA_OF[runtime[1]]
    return [] if f":{wanted}." in base else [f"onnxruntime-gpu {runtime[1]} needs CUDA {wanted}"]
