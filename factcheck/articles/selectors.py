from factcheck.articles.models import Article, Revision


def latest_revision(article: Article) -> Revision:
    return article.revisions.select_related("text_row", "removed_row").latest("number")
