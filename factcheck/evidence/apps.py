from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "factcheck.evidence"

    def ready(self) -> None:
        from factcheck.evidence.checking import JOB_KIND, give_up_check, run_check
        from factcheck.jobs.registry import Kind, register

        register(Kind(JOB_KIND, run=run_check, gave_up=give_up_check, deadline_seconds=60, max_attempts=3))
