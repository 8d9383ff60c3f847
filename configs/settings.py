"""Where Leadline keeps its files, from `LEADLINE_*` variables; nothing is created here."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PACKAGE_MODELS = Path(__file__).parent / "models"
# In a delivery's folder: which files are of which source, where their names do not say it.
SOURCES_MAP = "sources.yaml"


class Settings(BaseSettings):
    """Folders and addresses of one installation.

    `home` holds the rest: the store, MLflow's files, the published Parquet files, the
    stage outputs of runs and Prefect's database.
    """

    model_config = SettingsConfigDict(env_prefix="LEADLINE_", frozen=True)

    home: Path = Path()
    models: Path = Field(PACKAGE_MODELS, description="folder of the supervision models")
    store_url: str = Field("", description="empty: SQLite file under home")
    user: str = Field("", description="who judges; empty: the login name")
    memory: str = Field(
        "", description="of the engine, as 8GB; empty: 80 % of the machine's"
    )
    threads: int = Field(0, ge=0, description="of the engine; 0: one a core")
    spill: Path | None = Field(
        None, description="folder for what does not fit; empty: the work folder"
    )
    spark: str = Field("local[*]", description="master, or sc:// of a Connect server")

    @property
    def var(self) -> Path:
        return self.home.absolute() / "var"

    @property
    def store(self) -> str:
        return self.store_url or f"sqlite:///{self.var / 'leadline.sqlite3'}"

    @property
    def published(self) -> Path:
        return self.var / "published"

    @property
    def work(self) -> Path:
        return self.var / "work"

    @property
    def mlruns(self) -> Path:
        return self.home.absolute() / "mlruns"

    @property
    def prefect(self) -> Path:
        return self.var / "prefect"


def silence_telemetry(settings: Settings) -> None:
    """Set, before they are imported, what keeps MLflow and Prefect at home.

    A value that the user has set wins, except for the switches against telemetry.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    os.environ.setdefault("PREFECT_HOME", str(settings.prefect))
    # The embedded server needs 20-36 s for its first start on a busy two-core machine;
    # Prefect gives up after 20 s by default.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
