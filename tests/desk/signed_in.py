"""A browser of somebody who is signed in to the desk."""

from django.test import Client

from factcheck.accounts.models import User

HTMX = {"HX-Request": "true"}


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client
