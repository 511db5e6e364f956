"""What can be refused when an article comes in.

FactcheckError
└── ArticleError
    └── UnreadableText   what was given is not a text of an article
"""

from factcheck.lib.errors import FactcheckError


class ArticleError(FactcheckError):
    pass


class UnreadableText(ArticleError):
    pass
