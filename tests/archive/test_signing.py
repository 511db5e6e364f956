"""The newsroom's signature on a package: made once, by the sweeper alone, and verified by others' tools."""

import base64
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from django.core.management import call_command
from pytest_django.fixtures import Settings

from factcheck.archive import blobs, signing
from factcheck.archive.models import Capture, WaczSignature
from factcheck.archive.signatures import is_good, signed_data
from factcheck.archive.signing import sign_packages
from factcheck.archive.wacz import DATAPACKAGE, DIGEST, open_package, package_of
from factcheck.archive.wacz_checking import check_wacz
from factcheck.ledger import keys
from factcheck.ledger.errors import KeyUnusable
from factcheck.ledger.insert_only import lifted
from factcheck.ledger.models import Entry
from tests import web

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def holder(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A folder for keys, and the right to have them that the sweeper takes for itself."""
    settings.KEYS_DIR = tmp_path / "keys"
    signing._complain.cache_clear()
    keys.hold()
    yield tmp_path / "keys"
    keys.let_go()


@pytest.fixture
def sealed(site: web.Site, capture: Callable[[str], Capture]) -> Capture:
    site.pages |= {
        "/": web.redirect("/costs"),
        "/costs": web.page("<title>Costs</title><p>The dam cost 40 million.</p>"),
    }
    return capture(site.url("/"))


def bytes_of(capture: Capture) -> bytes:
    return b"".join(open_package(Capture.objects.get(pk=capture.pk)))


def files(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        return {name: package.read(name) for name in package.namelist()}


# --- what is signed ---------------------------------------------------------------------------------------------------


def test_the_worker_lays_the_package_out_when_it_seals_and_keeps_what_there_is_to_sign(sealed: Capture) -> None:
    assert sealed.wacz_hash == package_of(sealed).hash
    assert not WaczSignature.objects.exists()


def test_a_package_is_signed_once_and_carries_the_signature_from_then_on(sealed: Capture) -> None:
    unsigned = bytes_of(sealed)

    assert (sign_packages(), sign_packages(), sign_packages(everything=True)) == (1, 0, 0)

    signature = WaczSignature.objects.get(capture=sealed)
    content = files(bytes_of(sealed))
    assert json.loads(content[DIGEST])["signedData"] == signed_data(signature)
    assert content[DATAPACKAGE] == files(unsigned)[DATAPACKAGE]
    assert json.loads(content[DATAPACKAGE])["created"] == signature.created
    assert check_wacz(io.BytesIO(bytes_of(sealed)), verifier=is_good) == []
    (entry,) = Entry.objects.filter(action="capture.package_signed")
    assert entry.subject == sealed.subject
    (made,) = Entry.objects.filter(action="key.made")
    assert made.subject == f"signing-key/{signature.fingerprint}"


def test_the_sweeper_opens_no_archived_byte_to_sign(sealed: Capture, store: Path) -> None:
    store.rename(store.with_name("elsewhere"))

    assert sign_packages() == 1


def test_the_oldest_are_signed_first_and_a_turn_is_bounded(
    site: web.Site, capture: Callable[[str], Capture], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/"] = web.page("hello")
    first, second, third = (capture(site.url(f"/?{number}")) for number in range(3))
    monkeypatch.setattr(signing, "MOST_AT_ONCE", 2)

    assert sign_packages() == 2
    assert set(WaczSignature.objects.values_list("capture", flat=True)) == {first.pk, second.pk}
    assert sign_packages() == 1


def test_a_late_commit_of_an_older_capture_is_found_by_the_run_over_everything(
    site: web.Site, capture: Callable[[str], Capture], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/"] = web.page("hello")
    older, newer = capture(site.url("/?1")), capture(site.url("/?2"))
    signing._sign(newer, *_key_pair())
    monkeypatch.setattr(signing, "LOOKS_BACK", 0)

    assert sign_packages() == 0
    assert sign_packages(everything=True) == 1
    assert older.signature is not None


def _key_pair() -> tuple[ec.EllipticCurvePrivateKey, str]:
    key = signing._key()
    return key, signing._public(key)


def test_two_sweepers_at_once_leave_one_signature(sealed: Capture) -> None:
    key, public = _key_pair()

    assert (signing._sign(sealed, key, public), signing._sign(sealed, key, public)) == (True, False)
    assert Entry.objects.filter(action="capture.package_signed").count() == 1


def test_a_capture_without_a_page_has_nothing_to_sign(site: web.Site, capture: Callable[[str], Capture]) -> None:
    site.pages["/"] = b""
    unreachable = capture(site.url("/"))

    assert (unreachable.outcome, unreachable.wacz_hash) == ("unreachable", "")
    assert sign_packages() == 0


def test_the_same_key_gives_the_same_signature_after_any_time(sealed: Capture) -> None:
    sign_packages()
    first = WaczSignature.objects.get().signature
    with lifted():
        WaczSignature.objects.all().delete()

    sign_packages()

    assert WaczSignature.objects.get().signature == first


def test_a_signature_of_something_else_is_given_to_nobody(sealed: Capture) -> None:
    unsigned = bytes_of(sealed)
    sign_packages()
    with lifted():
        WaczSignature.objects.update(hash="sha256:" + "0" * 64)

    assert bytes_of(sealed) == unsigned


# --- the key ----------------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_for_its_owner_alone(sealed: Capture, holder: Path) -> None:
    sign_packages()
    made = (holder / "wacz.pem").read_bytes()

    assert made.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert (holder.stat().st_mode & 0o777, (holder / "wacz.pem").stat().st_mode & 0o777) == (0o700, 0o600)
    assert list(holder.iterdir()) == [holder / "wacz.pem"]
    signing._key()
    assert (holder / "wacz.pem").read_bytes() == made


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda place: place.chmod(0o640), "0640, and should have 0600"),
        (lambda place: place.parent.chmod(0o755), "0755, and should have 0700"),
        (lambda place: place.write_bytes(b"hello"), "is no private key"),
        (lambda place: (place.rename(place.with_name("x")), place.symlink_to("x")), "no plain file"),
        (lambda place: (place.unlink(), place.mkdir()), "no plain file"),
        (
            lambda place: place.write_bytes(_pem(ec.generate_private_key(ec.SECP256R1()))),
            "not one of P-384",
        ),
    ],
)
def test_without_a_usable_key_nothing_is_signed_and_the_log_says_why_once(
    sealed: Capture, holder: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], object], said: str
) -> None:
    signing._key()
    harm(holder / "wacz.pem")

    assert (sign_packages(), sign_packages()) == (0, 0)
    assert caplog.text.count(said) == 1
    assert not WaczSignature.objects.exists()
    assert bytes_of(sealed)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_folder_where_no_key_can_be_made_is_named(
    sealed: Capture, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    settings.KEYS_DIR = tmp_path / "file" / "keys"

    assert sign_packages() == 0
    assert "can be neither read nor made" in caplog.text


def test_only_a_process_that_holds_keys_is_given_one(sealed: Capture, holder: Path) -> None:
    keys.let_go()

    with pytest.raises(KeyUnusable, match="Only the sweeper"):
        signing._key()
    assert sign_packages() == 0
    assert not holder.exists()


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_signs_what_was_sealed(sealed: Capture) -> None:
    keys.let_go()

    call_command("sweeper", "--once", stdout=io.StringIO())

    assert WaczSignature.objects.get().capture_id == sealed.pk


def test_the_command_of_the_sweeper_is_the_only_code_that_takes_the_right_to_keys() -> None:
    root = Path(keys.__file__).parents[2] / "factcheck"
    texts = {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*.py")}

    assert [name for name, text in texts.items() if "keys.hold(" in text] == [
        "operations/management/commands/sweeper.py"
    ]
    assert sorted(name for name, text in texts.items() if "KEYS_DIR" in text) == ["ledger/keys.py", "settings.py"]
    assert [name for name, text in texts.items() if "import private_key" in text] == ["archive/signing.py"]


def test_web_archive_host_and_worker_never_load_what_opens_keys() -> None:
    code = (
        "import sys, factcheck.wsgi, factcheck.celery\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        "factcheck.celery.app.loader.import_default_modules()\n"
        "print({'factcheck.archive.signing', 'factcheck.ledger.keys', 'factcheck.archive.wacz'} & {*sys.modules})"
    )
    for serve in ("app", "archive"):
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "factcheck.settings", "FACTCHECK_SERVE": serve}
        ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert (ended.stdout, ended.stderr) == ("{'factcheck.archive.wacz'}\n", "")


# --- as others verify it ----------------------------------------------------------------------------------------------


def test_openssl_verifies_the_signature_of_a_download(sealed: Capture, tmp_path: Path) -> None:
    sign_packages()
    said = json.loads(files(bytes_of(sealed))[DIGEST])["signedData"]
    pair = base64.b64decode(said["signature"])
    (tmp_path / "signature").write_bytes(
        encode_dss_signature(int.from_bytes(pair[:48], "big"), int.from_bytes(pair[48:], "big"))
    )
    (tmp_path / "key.der").write_bytes(base64.b64decode(said["publicKey"]))
    (tmp_path / "hash").write_bytes(said["hash"].encode())

    def verified() -> bool:
        command = "openssl dgst -sha256 -keyform DER -verify key.der -signature signature hash"
        return subprocess.run(command.split(), cwd=tmp_path, capture_output=True).returncode == 0

    assert verified()
    (tmp_path / "hash").write_bytes(said["hash"].encode() + b"\n")
    assert not verified()


WEB_CRYPTO = """
const said = JSON.parse(require("fs").readFileSync(0));
const bytes = (text) => Buffer.from(text, "base64");
const curve = {name: "ECDSA", namedCurve: "P-384"};
crypto.subtle.importKey("spki", bytes(said.publicKey), curve, true, ["verify"]).then((key) =>
  crypto.subtle.verify({name: "ECDSA", hash: "SHA-256"}, key, bytes(said.signature), Buffer.from(said.hash))
).then((good) => console.log(good));
"""


def test_the_browser_s_own_cryptography_verifies_it_as_replay_tools_ask_it_to(sealed: Capture) -> None:
    sign_packages()
    said = json.loads(files(bytes_of(sealed))[DIGEST])["signedData"]

    def verified(said: dict[str, str]) -> str:
        command = ["node", "-e", WEB_CRYPTO]
        return subprocess.run(command, input=json.dumps(said), capture_output=True, text=True).stdout.strip()

    assert verified(said) == "true"
    assert verified(said | {"hash": "sha256:" + "0" * 64}) == "false"


LAID_OUT_ELSEWHERE = """
import json, sys, django
from datetime import datetime
django.setup()
from factcheck.archive.wacz import lay_out
about = json.load(sys.stdin)
about["created"] = datetime.fromisoformat(about["created"])
with open(sys.argv[1], "rb") as warc:
    print(lay_out(warc, **about).sha256(warc))
"""


def test_another_process_lays_out_the_same_signed_bytes(sealed: Capture) -> None:
    sign_packages()
    about = {
        "page_id": sealed.public_id,
        "page_url": sealed.final_url,
        "title": sealed.title,
        "created": sealed.sealed_at.isoformat(),
        "signed_data": signed_data(WaczSignature.objects.get()),
    }
    command = [sys.executable, "-c", LAID_OUT_ELSEWHERE, str(blobs.path_of(sealed.warc_sha256))]

    def made(seed: str) -> str:
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "factcheck.settings", "PYTHONHASHSEED": seed}
        ended = subprocess.run(command, env=environment, input=json.dumps(about), capture_output=True, text=True)
        return ended.stdout.strip()

    assert made("1") == made("2") == hashlib.sha256(bytes_of(sealed)).hexdigest()


def test_a_key_of_another_curve_is_not_accepted_since_no_reader_s_tool_would() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    made = key.sign(b"sha256:00", ec.ECDSA(hashes.SHA256()))
    pair = b"".join(number.to_bytes(48, "big") for number in decode_dss_signature(made))
    said = {"hash": "sha256:00", "signature": base64.b64encode(pair).decode(), "publicKey": signing._public(key)}

    assert not is_good(said)


@pytest.mark.parametrize(
    "changed",
    [
        {"hash": "sha256:" + "0" * 64},
        {"signature": base64.b64encode(bytes(96)).decode()},
        {"signature": base64.b64encode(b"short").decode()},
        {"signature": "no base64"},
        {"publicKey": base64.b64encode(b"no key").decode()},
        {"publicKey": None},
    ],
)
def test_what_is_not_signed_by_that_key_is_not_good(sealed: Capture, changed: dict[str, str]) -> None:
    sign_packages()
    said = signed_data(WaczSignature.objects.get())

    assert is_good(said)
    assert not is_good(said | changed)
