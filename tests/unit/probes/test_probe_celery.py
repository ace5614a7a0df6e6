"""Celery's workers are asked together, under the check's own name, as the inventory has them."""

from quorate.inventory import parse_inventory
from quorate.model import CeleryAsk, CeleryReply
from quorate.probes.celery import PROBE

INVENTORY = """
hosts: {rabbit-1: 192.0.2.205, rabbit-2: 192.0.2.147, celery-1: 192.0.2.199, celery-2: 192.0.2.200}
checks:
  workers:
    kind: celery
    brokers: [rabbit-1, {name: rabbit-2, address: mq.example.org, port: 5673}]
    vhost: airflow_host
    user: quorate
    password: {env: X}
    hosts: [celery-1, {name: celery-2, worker: other@w2}]
    queues: [default]
"""


def test_one_question_for_all_workers() -> None:
    check = parse_inventory(INVENTORY, source="F").checks["workers"]
    assert check.hosts == check.members == ("celery-1", "celery-2")
    assert PROBE.questions(check, {"password": "s3cret"}) == {
        "workers": CeleryAsk(
            brokers=(("192.0.2.205", 5672), ("mq.example.org", 5673)),
            vhost="airflow_host",
            user="quorate",
            password="s3cret",
            workers=("celery@celery-1", "other@w2"),
            queues=("default",),
            timeout=3.0,
        )
    }
    assert "s3cret" not in repr(PROBE.questions(check, {"password": "s3cret"}))


def test_the_virtual_host_and_the_queues_have_defaults() -> None:
    told = INVENTORY.replace("    vhost: airflow_host\n", "").replace("    queues: [default]\n", "")
    check = parse_inventory(told, source="F").checks["workers"]
    ask = PROBE.questions(check, {"password": "p"})["workers"]
    assert isinstance(ask, CeleryAsk)
    assert (ask.vhost, ask.queues) == ("/", ())


def test_an_answer_needs_no_reading() -> None:
    check = parse_inventory(INVENTORY, source="F").checks["workers"]
    reply = CeleryReply(workers={"celery@celery-1": ("default",)})
    assert PROBE.read(check, "workers", reply) is reply
