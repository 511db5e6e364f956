"""Replay with scripts: on the operator's own other domain, or not at all."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as project
from django.test import Client

from factcheck.archive.replay_links import full_replay_url, public_replay_url
from factcheck.evidence.models import Visibility
from factcheck.pages import addresses
from tests.public.test_addresses import archived

WACZ = "https://news.example/captures/7q2km4tz/capture.wacz"


def test_where_nothing_is_set_up_nothing_is_offered(settings):
    settings.REPLAY_WEB_PAGE_URL = ""

    assert full_replay_url(WACZ) == ""


def test_the_package_is_named_in_the_address_so_that_it_ends_no_part_of_it(settings):
    settings.REPLAY_WEB_PAGE_URL = "https://replay.example"

    assert (
        full_replay_url(WACZ)
        == "https://replay.example/?source=https%3A%2F%2Fnews.example%2Fcaptures%2F7q2km4tz%2Fcapture.wacz"
    )


@pytest.mark.django_db(transaction=True)
def test_packages_of_open_copies_may_be_read_from_the_replay_tools_domain_and_the_page_leads_there(settings):
    settings.REPLAY_WEB_PAGE_URL = "https://replay.example/tool"
    client = Client()
    _publication, capture_id = archived(visibility=Visibility.PUBLIC)
    address = addresses.capture_wacz(capture_id)

    asked = client.options(address)
    part = client.get(address, headers={"range": "bytes=0-9", "origin": "https://replay.example"})

    assert asked["Access-Control-Allow-Origin"] == part["Access-Control-Allow-Origin"] == "https://replay.example"
    assert "Range" in asked["Access-Control-Allow-Headers"]
    assert part.status_code == 206
    page = client.get(addresses.capture(capture_id)).content.decode()
    assert full_replay_url(f"{settings.PUBLIC_URL}{address}") in page
    assert public_replay_url(capture_id) in page


@pytest.mark.django_db(transaction=True)
def test_without_a_replay_tool_no_other_domain_may_read_packages(settings):
    settings.REPLAY_WEB_PAGE_URL = ""
    client = Client()
    _publication, capture_id = archived(visibility=Visibility.PUBLIC)
    address = addresses.capture_wacz(capture_id)

    assert "Access-Control-Allow-Origin" not in client.get(address)
    assert client.options(address).status_code == 405
    assert "ReplayWeb.page" not in client.get(addresses.capture(capture_id)).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_copy_that_is_not_open_leads_to_no_replay(settings):
    settings.REPLAY_WEB_PAGE_URL = "https://replay.example"
    client = Client()
    _publication, capture_id = archived()

    page = client.get(addresses.capture(capture_id)).content.decode()
    assert "replay.example" not in page
    assert public_replay_url(capture_id) not in page
    assert client.get(addresses.capture_wacz(capture_id)).status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "https://news.example",
        "https://replay.news.example",
        "https://example",
        "https://archive.example:8443/replay",
        "replay.example",
    ],
)
def test_a_replay_tool_beside_the_app_or_the_archive_host_does_not_start(tmp_path, address):
    ended = subprocess.run(
        [sys.executable, "-c", "import factcheck.settings"],
        cwd=project.BASE_DIR,
        env={
            "PATH": os.defpath,
            "FACTCHECK_VAR": str(tmp_path),
            "PUBLIC_URL": "https://news.example",
            "ARCHIVE_URL": "https://archive.example",
            "REPLAY_WEB_PAGE_URL": address,
        },
        capture_output=True,
        text=True,
    )

    assert "REPLAY_WEB_PAGE_URL runs archived scripts" in ended.stderr
