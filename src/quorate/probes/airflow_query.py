"""What Airflow's metadata database is asked: one text that has the components' jobs and their ages.

A service's answer is one value, and of a text no more than some 600 characters are kept. So the answer is
as short as can be, and the query itself sees to it that it fits: rows that don't are counted and left out,
those with the oldest heartbeats first. A row is a component's letter, its host, the age of its heartbeat in
seconds, and its state where that is not `running`.
"""

LETTERS = {"S": "scheduler", "T": "triggerer", "D": "dag_processor"}
"""The components by the first letter of their type of job."""

_FITS = 540
_DAY = 86400.0

# Of a host's rows of one type, one that is alive counts, else the latest. The window keeps the index on
# job_type and latest_heartbeat in use. No placeholder but $1 and $2: both are numbers of seconds.
QUERY = f"""\
WITH newest AS (
    SELECT DISTINCT ON (job_type, hostname)
        job_type, coalesce(hostname, '') AS hostname, coalesce(state, '') AS state, latest_heartbeat
    FROM job
    WHERE job_type IN ('SchedulerJob', 'TriggererJob', 'DagProcessorJob')
        AND latest_heartbeat > now() - make_interval(secs => $2)
    ORDER BY job_type, hostname,
        (coalesce(state, '') = 'running' AND latest_heartbeat >= now() - make_interval(secs => $1)) DESC,
        latest_heartbeat DESC
), written AS (
    SELECT *, round(extract(epoch FROM now() - latest_heartbeat)::numeric, 1) AS age FROM newest
), listed AS (
    SELECT *, CASE state
        WHEN 'running' THEN json_build_array(left(job_type, 1), hostname, age)
        ELSE json_build_array(left(job_type, 1), hostname, age, state)
    END::text AS line FROM written
), measured AS (
    SELECT line, sum(length(line) + 1) OVER (ORDER BY age, job_type, hostname) AS so_far FROM listed
)
SELECT '{{"total":' || count(*) || ',"jobs":['
    || coalesce(string_agg(line, ',' ORDER BY so_far) FILTER (WHERE so_far <= {_FITS}), '') || ']}}'
FROM measured
"""  # noqa: S608  what is put in is a number of ours


def window(max_age: float) -> float:
    """Return how far back jobs are looked for: a day, or twice the age that is still alive."""
    return max(_DAY, 2 * max_age)
