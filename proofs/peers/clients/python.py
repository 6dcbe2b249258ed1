"""Python's clients: `python.py CLIENT`. See src/program.rs for what is read and printed."""
import asyncio
import importlib.metadata
import sys


def pylibmc(options, servers):
    import pylibmc
    behaviors = {
        "modula": {},
        "consistent": {"distribution": "consistent"},
        "ketama": {"ketama": True},
        "ketama_weighted": {"ketama": True, "ketama_weighted": True},
    }[options["way"]]
    names = [":".join(server) for server in servers]
    return pylibmc.Client(names, behaviors={"hash": options["hash"], **behaviors})


def memcache(options, servers):
    import memcache
    return memcache.Client([(f"{host}:{port}", int(weight)) for host, port, weight in servers])


def pymemcache(options, servers):
    from pymemcache.client.hash import HashClient
    return HashClient([(host, int(port)) for host, port, _ in servers], encoding="utf8")


def bmemcached(options, servers):
    import bmemcached
    return bmemcached.DistributedClient([f"{host}:{port}" for host, port, _ in servers])


class Emcache:
    """Its client waits for a loop, which nobody else uses here."""

    def __init__(self, servers):
        import emcache
        self.loop = asyncio.new_event_loop()
        addresses = [emcache.MemcachedHostAddress(host, int(port)) for host, port, _ in servers]
        self.client = self.loop.run_until_complete(emcache.create_client(addresses))

    def set(self, key, value):
        self.loop.run_until_complete(self.client.set(key.encode(), value.encode()))
        return True

    def end(self):
        self.loop.run_until_complete(self.client.close())
        self.loop.close()

    def get(self, key):
        item = self.loop.run_until_complete(self.client.get(key.encode()))
        return item and item.value


def emcache(options, servers):
    return Emcache(servers)


class MetaMemcache:
    """Its `set` wants a time to live."""

    def __init__(self, servers):
        from meta_memcache import CacheClient, ServerAddress
        from meta_memcache.configuration import connection_pool_factory_builder
        addresses = [ServerAddress(host, int(port)) for host, port, _ in servers]
        self.client = CacheClient.cache_client_from_servers(addresses, connection_pool_factory_builder())

    def set(self, key, value):
        return self.client.set(key, value, ttl=600)

    def get(self, key):
        return self.client.get(key)


def meta_memcache(options, servers):
    return MetaMemcache(servers)


PACKAGES = {"memcache": "python-memcached", "bmemcached": "python-binary-memcached",
            "meta_memcache": "meta-memcache"}


def main(name):
    print(importlib.metadata.version(PACKAGES.get(name, name)), flush=True)
    for line in sys.stdin:
        task, options, servers, path = line.rstrip("\n").split("\t")
        options = dict(option.split("=", 1) for option in options.split(",") if option)
        client = globals()[name](options, [server.split(":") for server in servers.split(",")])
        count = 0
        for key in open(path).read().splitlines():
            value = "v:" + key
            if task == "set":
                count += bool(client.set(key, value))
            else:
                found = client.get(key)
                count += found in (value, value.encode())
        getattr(client, "end", int)()
        print(count, flush=True)


main(sys.argv[1])
