"""Room responses of the tests go to a folder of their own, never to the user's cache."""

import pytest


@pytest.fixture(autouse=True, scope="package")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITTRUE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
