"""The tasks of a DAG that asks one thing after the other, in a process of its own.

`python -m benchmarks.seed_dag` reads what to ask as JSON from its standard input and prints one line of JSON:
what the tasks take in a row, and so many at once. Starting Python and importing drivers are not in the times,
since a DAG file imports them while it is parsed.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pika  # type: ignore[import-untyped] # it comes without types
import psycopg


def is_active(asks: Sequence[Sequence[str]]) -> list[str]:
    """Ask for each unit with an ssh process of its own; return what each said."""
    said = []
    for argv in asks:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        said.append(done.stdout.strip())
    return said


def dags(database: Mapping[str, Any]) -> list[str]:
    """Count the DAGs in the database."""
    connection = psycopg.connect(**database, connect_timeout=5)
    cursor = connection.cursor()
    cursor.execute("SELECT COUNT(*) FROM dag;")
    row = cursor.fetchone()
    cursor.close()
    connection.close()
    return [str(row[0]) if row else ""]


def log_in(brokers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Log in to each node of the broker, and leave."""
    said = []
    for broker in brokers:
        credentials = pika.PlainCredentials(broker["user"], broker["password"])
        parameters = pika.ConnectionParameters(
            host=broker["host"],
            port=broker["port"],
            virtual_host=broker["vhost"],
            credentials=credentials,
            socket_timeout=5,
        )
        pika.BlockingConnection(parameters).close()
        said.append("healthy")
    return said


def cpu() -> float:
    """Return the CPU seconds of this process and of all that it waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def run(tasks: Sequence[Callable[[], list[str]]], at_once: int) -> dict[str, Any]:
    """Run the tasks; return wall clock and CPU in seconds, and what each task was told."""
    began, spent = time.perf_counter(), cpu()
    with ThreadPoolExecutor(at_once) as pool:
        said = list(pool.map(lambda task: task(), tasks))
    return {"wall": time.perf_counter() - began, "cpu": cpu() - spent, "said": said}


def main() -> None:
    """Run one task a group, one for the database and one for the broker."""
    told = json.load(sys.stdin)
    tasks: list[Callable[[], list[str]]] = [partial(is_active, asks) for asks in told["groups"]]
    tasks += [partial(dags, told["database"]), partial(log_in, told["brokers"])]
    print(json.dumps([run(tasks, 1), run(tasks, told["at_once"])]))


if __name__ == "__main__":
    main()
