"""The keys of the XComs that a health DAG's tasks leave; other people's tasks read them by these names."""

FAILURE_TYPE = "failure_type"
REPORT = "report"
CRITICAL_COUNT = "critical_failure_count"
CRITICAL_TASKS = "critical_failure_tasks"
