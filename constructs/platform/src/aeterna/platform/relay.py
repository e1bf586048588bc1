"""The relay beside OPAL's server: plain Redis on the pod's loopback, and the foundation's cache behind it.

OPAL's driver knows neither TLS nor logins that change; the cache is reached by nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.platform.environment import ANYWHERE
from aeterna.platform.names import CACHE_TRUST, OPAL, RELAY, RELAY_HEALTH_PORT
from aeterna.platform.program import Probed, Program
from aeterna.platform.sizing import Resources
from aeterna.platform.volumes import config, scratch

if TYPE_CHECKING:
    from aeterna.platform.site import Site

PORT: Final = 6379
RELAY_ADDRESS: Final = f"redis://127.0.0.1:{PORT}"
FOLDER: Final = "/etc/aeterna/cache"
FILE: Final = "ca.pem"
_RESOURCES: Final = Resources(cpu="25m", most_cpu="500m", memory="128Mi")


def relay(site: Site) -> Program:
    """Return the container, which logs in to the cache as the identity of OPAL's service account.

    It starts before OPAL's server and stops after it.
    """
    cache = site.foundation.cache
    settings = {
        "HOST": "127.0.0.1",
        "PORT": str(PORT),
        "HEALTH_HOST": ANYWHERE,
        "HEALTH_PORT": str(RELAY_HEALTH_PORT),
        "CACHE_HOST": cache.host,
        "CACHE_PORT": cache.port,
        "CACHE_USER": site.login(OPAL),
        "CACHE_LOGIN": site.foundation.cloud,
        **({} if cache.name is None else {"CACHE_NAME": cache.name}),
        **({} if cache.certificate_authority is None else {"CACHE_CA_FILE": f"{FOLDER}/{FILE}"}),
    }
    trust = () if cache.certificate_authority is None else (config("cache", FOLDER, CACHE_TRUST),)
    return Program(
        name=RELAY,
        image=site.image(RELAY),
        resources=_RESOURCES,
        settings={f"AETERNA_RELAY_{name}": value for name, value in settings.items()},
        mounts=(scratch("relay-tmp", "/tmp", "64Mi"), *trust),  # noqa: S108 - a volume of the pod's own
        ports={"relay-health": RELAY_HEALTH_PORT},
        # OPAL's servers serve their clients without the cache as well, only not each other's news.
        probed=Probed(port=RELAY_HEALTH_PORT, scheme="HTTP", ready="/live"),
        sidecar=True,
    )
