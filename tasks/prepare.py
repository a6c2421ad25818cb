"""prepare: fetch the photo, bring it into one form, keep it, and look at its quality."""

from packshot.contract import Step
from packshot.errors import Rejected
from packshot.imaging.colour import flatten
from packshot.imaging.decode import Decoded, decode
from packshot.imaging.encode import encode, encode_grey
from packshot.imaging.hashing import phash, sha256
from packshot.imaging.naming import original_key, work_key
from packshot.imaging.quality import measure
from packshot.imaging.scale import fit
from packshot.meter import spent
from packshot.results import Prepared
from packshot.store.ledger import Artifact
from tasks.stage import LOSSLESS, Found, Stage, Work

#: Formats whose bytes decode straight to the working image at the price of reading a copy of it.
_CHEAP = frozenset({"jpeg", "png", "webp", "bmp"})


def prepare(work: Work) -> Found:
    """Fetch, limit, decode, turn, hash, measure; the original is kept even when it is refused."""
    services = work.services
    fetched = services.fetcher.fetch(work.job.image.uri)
    spent(read=len(fetched.data))
    digest = sha256(fetched.data)
    try:
        decoded = decode(fetched.data, services.limits)
    except Rejected:
        # The photo is not lost: whoever looks at the failure can look at the bytes too.
        services.blobs.put(original_key(digest, "bin"), fetched.data, "application/octet-stream")
        raise
    original = work.store(
        "original",
        original_key(digest, decoded.format),
        fetched.data,
        f"image/{decoded.format}",  # our names are the registered ones (IANA media types)
    )
    rgb = flatten(decoded.rgb, decoded.alpha) if decoded.alpha is not None else decoded.rgb
    working = fit(rgb, services.settings.working_side)
    height, width = working.shape[:2]
    copies: list[Artifact] = []
    if working is not decoded.rgb or decoded.format not in _CHEAP:
        key = work_key(digest, f"image-{width}x{height}.png")
        copies.append(work.store("working", key, encode(working, "png", LOSSLESS), "image/png"))
    if alpha := _alpha(work, decoded, digest):
        copies.append(alpha)
    keys = {one.name: one.key for one in copies}
    work_image = keys.get("working", original.key)
    services.pixels.put(work_image, working)
    result = Prepared(
        sha256=digest,
        phash=phash(working),
        original_key=original.key,
        work_key=work_image,
        alpha_key=keys.get("alpha"),
        filename=fetched.filename,
        format=decoded.format,
        bytes=len(fetched.data),
        width=width,
        height=height,
        quality=measure(working),
    )
    return Found(result, artifacts=(original, *copies))


def _alpha(work: Work, decoded: Decoded, digest: str) -> Artifact | None:
    if decoded.alpha is None:
        return None
    alpha = fit(decoded.alpha, work.services.settings.working_side)
    return work.store("alpha", work_key(digest, "alpha.png"), encode_grey(alpha), "image/png")


STAGE = Stage(Step.PREPARE, Prepared, prepare)
