"""Every night, DrChrono to Snowflake: one tap for each practice, with Airflow 3."""  # noqa: INP001 - a file to copy, not a package

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Context

PRACTICES = ("north", "south", "harbour")
"""One authorization each, of the same API application."""

HOURLY_REQUESTS = 480
"""For all of them: DrChrono allows 500 an hour; some stay free for other users."""

PROJECT = "/opt/meltano/drchrono"
"""The directory of meltano.yml."""

CREDENTIALS = "/var/lib/tap-drchrono"
"""On a volume that every worker mounts: the tap writes here at each refresh."""

# Client and secret come from the environment of the workers, as TAP_DRCHRONO_CLIENT_ID
# and TAP_DRCHRONO_CLIENT_SECRET; so do the settings of target-snowflake, and the state
# backend as MELTANO_STATE_BACKEND_URI.
SYNC = (
    "exec meltano --environment=prod run --state-id-suffix={practice} "
    "tap-drchrono target-snowflake"
)


def tell(context: Context) -> None:
    """Tell a person that a practice was not loaded: put your mail or chat here."""
    task = context["task_instance"].task_id
    logging.getLogger(__name__).error("%s failed: see its log", task)


with DAG(
    dag_id="drchrono",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    # A night that takes longer than a day is not overtaken by the next one.
    max_active_runs=1,
    default_args={
        "retries": 2,
        "retry_delay": timedelta(minutes=30),
        "on_failure_callback": tell,
    },
) as dag:
    for practice in PRACTICES:
        BashOperator(
            task_id=f"sync_{practice}",
            bash_command=SYNC.format(practice=practice),
            cwd=PROJECT,
            append_env=True,
            env={
                "TAP_DRCHRONO_CREDENTIALS_PATH": f"{CREDENTIALS}/{practice}.json",
                "TAP_DRCHRONO_HOURLY_REQUEST_LIMIT": str(
                    HOURLY_REQUESTS // len(PRACTICES)
                ),
                "TARGET_SNOWFLAKE_DEFAULT_TARGET_SCHEMA": f"DRCHRONO_{practice}",
            },
        )
