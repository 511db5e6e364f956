"""What can be refused when an article comes in.

FactcheckError
└── ArticleError
    ├── UnreadableText   what was given is not a text of an article
    └── OwnPageOutdated  what was found on our own page is not what stands there, or here, now
"""

from factcheck.lib.errors import FactcheckError


class ArticleError(FactcheckError):
    pass


class UnreadableText(ArticleError):
    pass


class OwnPageOutdated(ArticleError):
    pass
