"""A report of a part of the cluster never passes for one of the whole."""

from dataclasses import replace

from reports import nominal

from quorate.model import Report
from quorate.outputs import FORMATS


def of_haproxy() -> Report:
    report = nominal()
    chosen = tuple(v for v in report.verdicts if v.group == "haproxy")
    return replace(report, verdicts=chosen, active_nodes={"nfs": None}, only=("haproxy", "nfs-x"))


def test_every_front_says_what_was_chosen() -> None:
    assert FORMATS["text"](of_haproxy()).startswith("✅ airflow-prod (only haproxy, nfs-x): OK")
    assert FORMATS["nagios"](of_haproxy()).startswith("QUORATE OK - airflow-prod (only haproxy, nfs-x):")
    assert '"only": [\n    "haproxy",\n    "nfs-x"\n  ]' in FORMATS["json"](of_haproxy())
    assert 'quorate_sweep_partial{cluster="airflow-prod"} 1' in FORMATS["prometheus"](of_haproxy())


def test_groups_that_were_not_asked_have_no_active_node_to_prove() -> None:
    text = FORMATS["text"](of_haproxy())
    assert "not proven" not in text
    assert "2 hosts, 5 verdicts" in text
