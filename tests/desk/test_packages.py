"""The package of a copy at the desk: its signature in words, and its bytes in parts."""

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from factcheck.archive.models import WaczSignature
from factcheck.archive.signing import sign_packages
from factcheck.evidence.models import Evidence
from factcheck.ledger import keys
from tests import factories
from tests.desk.signed_in import client_of
from tests.desk.test_captures import archived, get

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def evidence(settings: Settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"
    keys.hold()
    yield archived()
    keys.let_go()


def test_the_page_of_a_copy_says_whether_its_package_is_signed_and_with_which_key(evidence: Evidence):
    before = get("capture", evidence).content.decode()
    assert "Not signed yet" in before

    sign_packages()

    after = get("capture", evidence).content.decode()
    signature = WaczSignature.objects.get()
    assert "Not signed yet" not in after
    assert "Signed by the newsroom" in after
    assert signature.fingerprint in after
    assert len(signature.fingerprint) == 40


def test_a_package_is_given_in_parts_and_is_another_once_it_is_signed(evidence: Evidence):
    address = reverse("desk:capture_wacz", args=[evidence.capture_request.public_id])

    def had(**headers: str) -> tuple[int, bytes, str]:
        answer = client_of(factories.checker()).get(address, headers=headers)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer.status_code, content, answer["ETag"]

    _status, unsigned, first_tag = had()
    assert had(range="bytes=10-29") == (206, unsigned[10:30], first_tag)
    assert had(**{"if-none-match": first_tag})[0] == 304

    sign_packages()

    status, signed, second_tag = had(**{"if-none-match": first_tag})
    assert (status, signed == unsigned, second_tag == first_tag) == (200, False, False)
    # The rest of a file that has become another one is not given as if it belonged to it.
    assert had(range="bytes=10-29", **{"if-range": first_tag}) == (200, signed, second_tag)
