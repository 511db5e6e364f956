from django.apps import AppConfig


class ArticlesConfig(AppConfig):
    name = "factcheck.articles"

    def ready(self) -> None:
        from factcheck.archive.collecting import register_reference

        register_reference("articles.Revision", "original_sha256")
        register_reference("articles.OwnPage", "body_sha256")
