"""What the shell of every page needs to know without a request."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def newsroom_name() -> str:
    name: str = settings.NEWSROOM_NAME
    return name
