"""Python's clients: `python.py CLIENT`. See src/program.rs for what is read and printed."""
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


PACKAGES = {"memcache": "python-memcached", "bmemcached": "python-binary-memcached"}


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
        print(count, flush=True)


main(sys.argv[1])
