"""Numbers and codes in the words of a person."""

from typing import Final

from packshot.results import Signal

#: Short names of the reasons for review, for chips and tables. Unknown codes are spelled out.
REASONS: Final = {
    "text_unsure": "Text unsure",
    "category_unsure": "Category unsure",
    "matte_unsure": "Cut-out unsure",
    "brand_unsure": "Brand unsure",
    "model_unsure": "Model unsure",
    "blurred": "Blurred",
    "blank": "Blank",
    "too_dark": "Too dark",
    "too_bright": "Too bright",
    "low_resolution": "Low resolution",
    "uncertain_edges": "Uncertain edges",
    "empty_matte": "Nothing cut out",
    "full_matte": "No background",
    "subject_cropped": "Product cropped",
    "several_subjects": "Several items",
    "unsupported_script": "Unreadable script",
    "not_a_product": "Not a product",
    "no_text": "No text",
    "requested": "Review requested",
    "audit": "Audit sample",
}

#: What to do about a failure, by its code (packshot/errors.py).
ADVICE: Final = {
    "invalid_message": "Correct the message as the sentence says and submit it again.",
    "conflict": "Submit the changed photo under a new job id.",
    "unsupported_format": "Save it as JPEG, PNG, WebP, TIFF, HEIC or AVIF and run again.",
    "corrupt_image": "Copy the file again from its source: it is damaged or cut off.",
    "image_too_large": "Send a smaller copy, or raise PACKSHOT_MAX_PIXELS or PACKSHOT_MAX_BYTES.",
    "image_too_small": "Send the full-size photo: this one shows too little.",
    "not_found": "Check the address: nothing is there under this name.",
    "source_forbidden": "Grant Packshot read access to the photo, then submit again.",
    "forbidden_address": "Put the photo where Packshot may fetch it: own bucket, or public https.",
    "storage_unavailable": "Check the object store, then run again: finished steps are kept.",
    "database_unavailable": "Check the database, then run again: finished steps are kept.",
    "broker_unavailable": "Check the broker, then run again: finished steps are kept.",
    "source_unavailable": "Check the server that holds the photo, then run again.",
    "model_failure": "Run again; if it fails again, keep the photo for a bug report.",
    "out_of_memory": "Lower the concurrency (-c 1) or send a smaller copy, then run again.",
    "step_timeout": "Raise PACKSHOT_STEP_SECONDS if such photos are expected, and run it again.",
    "model_missing": "Bring the weights with `packshot models pull`, then run again.",
    "model_forbidden": "Choose other weights: their licence forbids this use.",
    "poison": "Look at the worker's log: the step died every time. Then `packshot retry`.",
    "item_taken": "Take another item, or ask a lead to give you this one.",
    "claim_lost": "Open the item again to go on.",
    "already_decided": "Nothing: somebody has decided it.",
    "invalid_decision": "Correct the decision as the sentence says.",
    "not_allowed": "Ask a lead.",
    "sign_in_failed": "Check login and password.",
    "too_many_attempts": "Wait as long as the sentence says.",
    "configuration": "Correct the installation as the sentence says, then run again.",
}
_OTHER_ADVICE: Final = "Run again: finished steps are kept."

#: Steps, as a person calls them.
STEPS: Final = {
    "prepare": "Prepare",
    "ocr": "Read text",
    "recognition": "Recognise",
    "matting": "Cut out",
    "finish": "Render",
}

#: Statuses of a job. `other` stands for what a finished run should not hold.
STATUSES: Final = {
    "accepted": "Accepted",
    "review": "For review",
    "failed": "Failed",
    "other": "Unfinished",
}

#: Fields that have a confidence.
FIELDS: Final = {"text": "Text", "category": "Category", "matte": "Cut-out"}

#: How the brand or the model number was found; the spelling that matched follows the rule.
RULES: Final = {
    "lexicon:exact": "known name",
    "lexicon:confusable": "known name, look-alike letters",
    "lexicon:fuzzy": "known name, misread letters",
    "label": "label in print",
    "trademark": "trade mark sign",
    "hyphenated": "hyphenated number",
    "plain": "number that looks like a model",
}


def reason_name(code: str) -> str:
    """The short name of a reason."""
    return REASONS.get(code) or code.replace("_", " ").capitalize()


def advice(code: str | None) -> str:
    """What a person can do about a failure with this code."""
    return ADVICE.get(code or "", _OTHER_ADVICE)


def rule_name(rule: str) -> str:
    """How a finding was made: the rule, and after it the spelling that matched, if it says so."""
    known = max((name for name in RULES if rule.startswith(name)), key=len, default=None)
    if known is None:
        return rule
    spelling = rule.removeprefix(known).strip(" :=")
    return f"{RULES[known]} “{spelling}”" if spelling else RULES[known]


def size_name(count: int) -> str:
    """A file size: 812 B, 64 KB, 1.3 MB (decimal, as shops and file managers have it)."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} KB"
    return f"{count / 1_000_000:.1f} MB"


def seconds_name(seconds: float) -> str:
    """A duration: 8 ms, 0.42 s, 12.3 s, 4 min 05 s."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.2f} s"
    if seconds < 119.5:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def percent(share: float) -> str:
    """A share in [0, 1] as whole per cent; never 100 % or 0 % for what is not exactly that."""
    shown = round(share * 100)
    if shown == 100 and share < 1:
        return "99%"
    if shown == 0 and share > 0:
        return "<1%"
    return f"{shown}%"


def are_shares(reason: Signal) -> bool:
    """The numbers of a reason are shares, so that a bar can show them."""
    numbers = (reason.value, reason.threshold)
    # A threshold of exactly 1 is a count: no confidence has to be perfect.
    return all(one is not None and 0 <= one <= 1 for one in numbers) and reason.threshold != 1


def compared(reason: Signal) -> str:
    """The two numbers that a rule compared: 15%, threshold 85%."""
    shown = percent if are_shares(reason) else number_name
    return f"{shown(reason.value or 0.0)}, threshold {shown(reason.threshold or 0.0)}"


def number_name(value: float) -> str:
    """A number with as many digits as one reads: 859, 12.3, 0.95."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plural(count: int, noun: str) -> str:
    """1 photo, 2 photos."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
