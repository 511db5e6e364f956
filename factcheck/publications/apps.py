from django.apps import AppConfig


class PublicationsConfig(AppConfig):
    name = "factcheck.publications"

    def ready(self) -> None:
        from factcheck.archive.looking import LOOK_SECONDS
        from factcheck.jobs.registry import Kind, Periodic, register, register_periodic
        from factcheck.publications import own_pages

        register(
            Kind(
                own_pages.JOB_KIND,
                run=own_pages.run_look,
                gave_up=own_pages.give_up,
                deadline_seconds=LOOK_SECONDS,
                max_attempts=3,
            )
        )
        register_periodic(Periodic("publications.own_pages", own_pages.ORDER_EVERY_SECONDS, own_pages.order_due))
        register_periodic(Periodic("publications.expect_own_pages", 3600, own_pages.expect_all))
