from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "factcheck.evidence"

    def ready(self) -> None:
        from factcheck.archive import witnesses
        from factcheck.evidence.checking import JOB_KIND, give_up_check, run_check
        from factcheck.evidence.witnessing import run_witness
        from factcheck.jobs.registry import Kind, register

        register(Kind(JOB_KIND, run=run_check, gave_up=give_up_check, deadline_seconds=60, max_attempts=3))
        # Here and not in the archive: which pages nobody outside may hear of, only evidence and articles tell.
        register(
            Kind(
                name=witnesses.JOB_KIND,
                run=run_witness,
                gave_up=witnesses.give_up,
                deadline_seconds=witnesses.TURN_SECONDS,
                max_attempts=witnesses.MAX_TURNS,
            )
        )
