"""One frozen settings object, read from PACKSHOT_* once by an entry point and passed on."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from packshot.errors import ConfigurationError


def _split(value: object) -> object:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


#: Names, separated by commas in the environment.
_Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """Every knob of an installation. The defaults are the embedded ones: no server at all."""

    model_config = SettingsConfigDict(
        env_prefix="PACKSHOT_", frozen=True, extra="forbid", env_ignore_empty=True
    )

    data: Path = Field(Path("packshot-data"), description="Folder of the embedded default.")
    database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of the ledger. Default: SQLite in the data folder."
    )
    broker_url: SecretStr = Field(
        SecretStr("amqp://guest:guest@127.0.0.1:5672//"), description="AMQP URL of RabbitMQ."
    )
    blobs: str | None = Field(
        None, description="Object store: s3://bucket or file:///folder. Default: the data folder."
    )
    s3_endpoint: str | None = Field(None, description="Endpoint of an S3-compatible store.")
    s3_region: str = Field("us-east-1", description="Region that requests are signed for.")
    s3_access_key: SecretStr | None = Field(
        None, description="Access key. Default: the usual AWS credential chain."
    )
    s3_secret_key: SecretStr | None = Field(None, description="Secret key that belongs to it.")
    redis_url: SecretStr | None = Field(
        None,
        description="Redis for single-flight of identical photos. Optional: only speed is lost.",
    )
    models: Path | None = Field(None, description="Folder of the weights. Default: user cache.")
    device: Literal["auto", "cpu", "cuda", "openvino"] = Field(
        "auto",
        description="Where models run: CUDA, OpenVINO on CPUs with bfloat16 (extra "
        "`openvino`), or ONNX Runtime on the CPU; auto takes the first of these that is there.",
    )
    threads: Annotated[int, Field(ge=1, le=256)] = Field(
        1,
        description="Threads of one model call and of one picture operation; on a CPU, concurrency "
        "beats threads.",
    )
    batch_size: Annotated[int, Field(ge=1, le=256)] | None = Field(
        None,
        description="Most photos, or lines of text, that a model takes at once. Default: 1 on a "
        "CPU, where batches gain nothing.",
    )
    batch_wait: Annotated[float, Field(ge=0, le=10)] = Field(
        0.005, description="Longest time that one of them waits for company, seconds."
    )
    profile: Path | None = Field(
        None,
        description="What `packshot tune` has found for this kind of machine: threads, batches and "
        "steps at once where nobody has set them. Default: profile.json beside the weights.",
    )
    fine_matting: bool = Field(
        False,
        description="Closed-form matting for hair and fur, about a second a photo; needs the "
        "extra `fine`.",
    )

    source_buckets: _Names = Field(
        (),
        description="Buckets that producers may name in s3:// URIs besides our own, "
        "separated by commas.",
    )
    allow_http: bool = Field(False, description="Fetch from plain http:// too.")
    allow_files: bool = Field(False, description="Fetch file paths; only the embedded run does.")
    private_hosts: _Names = Field(
        (),
        description="Host names that may resolve to private addresses (an in-house CDN), "
        "separated by commas.",
    )
    fetch_seconds: Annotated[float, Field(gt=0)] = Field(
        60.0, description="Deadline for one download, seconds."
    )
    max_bytes: Annotated[int, Field(gt=0)] = Field(
        50 * 1024 * 1024, description="Largest photo, bytes."
    )
    max_pixels: Annotated[int, Field(gt=0)] = Field(
        100_000_000, description="Largest photo, pixels; checked before decoding."
    )
    working_side: Annotated[int, Field(ge=512)] = Field(
        4096, description="Longer side at which larger photos are worked on, pixels."
    )

    max_attempts: Annotated[int, Field(ge=2)] = Field(
        4,
        description="Attempts at one step whose worker died before the job is poison; all but the "
        "first run alone.",
    )
    lease_seconds: Annotated[int, Field(ge=3)] = Field(
        30,
        description="How long after its last sign of life a worker counts as dead. Workers renew "
        "three times as often; a killed worker's steps begin again after this time.",
    )
    step_seconds: Annotated[float, Field(gt=0)] = Field(
        120.0, description="Longest time that one step may take before it is cancelled."
    )
    drain_seconds: Annotated[float, Field(gt=0)] = Field(
        90.0,
        description="After SIGTERM, how long running steps may go on before they are handed back. "
        "Keep it under the grace period of whatever stops the process.",
    )
    hop_each_step: bool = Field(
        False,
        description="Publish a message for each step, even where the worker that has done the one "
        "before serves it too. Flower then shows a task a step; it costs a tenth of a job's CPU.",
    )
    reconcile_seconds: Annotated[float, Field(gt=0)] = Field(
        15.0, description="How often workers look for jobs that stand still."
    )
    declare_queues: bool = Field(
        True,
        description="Workers make the queues that they need. Set it to false where "
        "`packshot broker setup` has made them and the workers' users may not.",
    )
    queue_limit: Annotated[int, Field(ge=1)] = Field(
        100_000, description="Messages per queue before publishers are told to wait."
    )
    review_text: Annotated[float, Field(ge=0, le=1)] = Field(
        0.85, description="Confidence of the text under which a job goes to review."
    )
    review_category: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5,
        description="The same for category, brand and model. Lower than the others: the classes "
        "fit packaged goods loosely, and 0.85 would send nearly every package to a person.",
    )
    review_matte: Annotated[float, Field(ge=0, le=1)] = Field(
        0.85, description="The same for the alpha matte."
    )
    audit_rate: Annotated[float, Field(ge=0, le=1)] = Field(
        0.01, description="Share of accepted jobs that a person checks anyway."
    )
    review_lease_seconds: Annotated[int, Field(ge=30)] = Field(
        300,
        description="How long a reviewer keeps an item without a sign of life from the page.",
    )
    policy: Path | None = Field(
        None,
        description="Routing policy, a TOML file; read anew when it changes. What it leaves out is "
        "as in the settings above.",
    )
    console_secret: Annotated[SecretStr, Field(min_length=32)] | None = Field(
        None,
        description="Seals the console's forms and links to pictures, 32 characters or more. "
        "Several console processes need the same; default: a new one in each process.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="What workers log."
    )
    log_style: Literal["text", "json"] = Field(
        "json", description="How workers log: `json`, one object a line, or `text`."
    )
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None,
        description="Port on which a worker serves Prometheus metrics; 0 takes a free one. "
        "Default: off.",
    )
    metrics_host: str | None = Field(
        None, description="Address that metrics are served on. Default: every interface."
    )
    management_url: SecretStr | None = Field(
        None,
        description="RabbitMQ's management API for `packshot exporter`, with user and password. "
        "Without it queues are counted over AMQP and the ledger.",
    )
    otlp_endpoint: str | None = Field(
        None,
        description="OpenTelemetry collector that takes traces over HTTP; needs the extra `otel`. "
        "Default: no traces.",
    )
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = Field(
        0.1, description="Share of jobs traced where the producer's `traceparent` does not say."
    )

    @property
    def ledger_url(self) -> str:
        """The SQLAlchemy URL of the ledger."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data.resolve() / 'ledger.sqlite'}"

    @property
    def blobs_url(self) -> str:
        """Where objects live."""
        return self.blobs or (self.data.resolve() / "store").as_uri()

    @classmethod
    def load(cls) -> "Settings":
        """Read the environment. Raises `ConfigurationError` that names the wrong variables."""
        try:
            return cls()
        except ValidationError as error:
            wrong = "; ".join(
                f"PACKSHOT_{str(item['loc'][0]).upper()}: {item['msg']}"
                for item in error.errors(include_url=False, include_input=False)
            )
            raise ConfigurationError(f"The settings are wrong. {wrong}.") from error
