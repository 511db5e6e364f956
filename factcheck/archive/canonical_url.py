from factcheck.outbound.addresses import check_address


def canonical_url(url: str) -> str:
    """The one spelling of an address: scheme and host in small ASCII letters, no default port, no fragment.

    What the site itself could tell apart (path, query and their order) stays. Raises AddressRefused.
    """
    return check_address(url).url
