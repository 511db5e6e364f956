"""The Chromium that is installed here, and how it is told to be alone with our proxy."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Where Debian's package chromium-sandbox and Google's own put the helper that works without user namespaces.
_SANDBOX_HELPERS = (
    Path("/usr/lib/chromium/chrome-sandbox"),
    Path("/usr/lib/chromium-browser/chrome-sandbox"),
    Path("/opt/google/chrome/chrome-sandbox"),
)
# New namespaces for users, processes and the network: what Chromium's sandbox is made of.
_CLONE_NEW = 0x10000000 | 0x20000000 | 0x40000000
# Playwright would allow these for its users' tests.
UNWANTED_DEFAULTS = ("--disable-popup-blocking", "--enable-unsafe-swiftshader")
# The last such switch on a command line is the only one that counts, so that Playwright's own are among these.
_FEATURES_OFF = (
    *("HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "MediaRouter", "DialMediaRouteProvider"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch", "Translate"),
    *("AutofillServerCommunication", "CertificateTransparencyComponentUpdater", "InterestFeedContentSuggestions"),
    *("DestroyProfileOnBrowserClose", "AvoidUnnecessaryBeforeUnloadCheckSync", "PaintHolding"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "Prerender2", "WebTransport", "WebBluetooth", "WebUSB"),
)


def find(configured: str = "") -> str | None:
    """The path of an executable browser: the configured one, or else the first of the known names on PATH."""
    if configured:
        return shutil.which(configured)
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def arguments(*, key_hash: str) -> list[str]:
    """Beside those that Playwright gives: nothing is asked but through the proxy, and nothing for Chromium itself."""
    return [
        # Loopback too goes through the proxy, and no name is looked up but by it.
        "--proxy-bypass-list=<-loopback>",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        f"--ignore-certificate-errors-spki-list={key_hash}",
        "--disable-quic",
        # Of these two, Chromium 150 heeds the second.
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--dns-prefetch-disable",
        "--no-pings",
        "--disable-domain-reliability",
        "--disable-client-side-phishing-detection",
        "--disable-component-update",
        "--disable-background-networking",
        "--disable-extensions",
        "--disable-sync",
        "--disable-notifications",
        "--disable-speech-api",
        "--disable-file-system",
        "--disable-gpu",
        "--disable-3d-apis",
        "--disable-crash-reporter",
        "--mute-audio",
        "--no-first-run",
        "--disk-cache-size=1",
        "--media-cache-size=1",
        "--renderer-process-limit=6",
        "--js-flags=--max-old-space-size=512",
        f"--disable-features={','.join(_FEATURES_OFF)}",
    ]


def sandbox_works() -> bool:
    """Whether Chromium's own walls around its renderers can stand: never for root, else by namespaces or its helper."""
    if os.geteuid() == 0:
        return False
    return _namespaces_are_allowed() or any(helper.exists() for helper in _SANDBOX_HELPERS)


def _namespaces_are_allowed() -> bool:
    """Tried out by a fork, since what forbids them differs from one kernel to the next."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(_CLONE_NEW) == 0 else 1)
    return os.waitpid(pid, 0)[1] == 0
