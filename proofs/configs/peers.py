#!/usr/bin/env python3
"""Runs the peers on random configurations and compares with `memring doctor`; `proofs/configs/run` builds and installs first.

libmemcached (libmemcached.so.11), PHP with its extension memcached, and nutcracker are asked. What a peer refuses must be
refused, and 200 keys must be where it puts them.

    proofs/configs/run [SEED [COUNT]]
"""

import ctypes
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile


def number(word, what):
    if not word.isascii() or not word.isdigit():
        sys.exit(f"{what} {word!r} is no number: peers.py [SEED [COUNT]]")
    return int(word)


if len(sys.argv) > 3:
    sys.exit("too many arguments: peers.py [SEED [COUNT]]")
ROOT = pathlib.Path(__file__).resolve().parents[2]
MEMRING = os.environ.get("MEMRING", ROOT / "target/debug/memring")
SEED = number(sys.argv[1], "the seed") if len(sys.argv) > 1 else random.randrange(1 << 32)
COUNT = number(sys.argv[2], "the count") if len(sys.argv) > 2 else 40
if COUNT == 0:
    sys.exit("a count of 0 proves nothing")
KEYS = [f"key:{number}" for number in range(200)]
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "keys").write_text("".join(f"{key}\n" for key in KEYS))
wrong = asked = 0


def doctor(*words):
    return subprocess.run([MEMRING, "doctor", *map(str, words)], capture_output=True, text=True)


def placed(*words):
    run = doctor(*words, "--keys", folder / "keys", "--format", "tsv")
    return None if run.returncode else [int(line.split("\t")[1]) for line in run.stdout.splitlines()]


def check(is_right, what):
    global wrong, asked
    asked += 1
    if not is_right:
        wrong += 1
        print("WRONG", what)


def option_string():
    def statement():
        hosts = ["abc", "10.0.0.1", "10.0.0.2", "cache-1.x.y", "localhost", "a_b"]
        server = "--SERVER=" + random.choice(hosts if random.random() < 0.97 else ["ab", "md5", "abc:1:2", "::1"])
        server += random.choice(["", ":11211", ":11212", ":0", ":65540"]) + random.choice(["", "", "/?0", "/?2", "/?5"])
        others = [
            '--SOCKET="/run/a.sock"/?3', "--DISTRIBUTION=consistent", "--DISTRIBUTION=consistent,MD5", "--DISTRIBUTION=modula",
            "--HASH=CRC", "--HASH=md5", "--HASH=FNV1A_32", "--HASH=murmur", '--NAMESPACE="app:"', "--HASH-WITH-NAMESPACE",
            "--REMOVE-FAILED-SERVERS=1", "--TCP-NODELAY", "--KETAMA", "RESET",
        ]
        return server if random.random() < 0.5 else random.choice(others)

    text = " ".join(statement() for _ in range(random.randint(1, 8)))
    return text.replace(" ", random.choice(["  ", " \n", "\n"]), 1) if random.random() < 0.2 else text


def libmemcached():
    library = ctypes.CDLL("libmemcached.so.11")
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    library.memcached.restype = pointer
    library.memcached.argtypes = [ctypes.c_char_p, size]
    library.memcached_generate_hash.argtypes = [pointer, ctypes.c_char_p, size]
    library.memcached_server_count.argtypes = [pointer]
    for _ in range(COUNT):
        text = option_string()
        peer = library.memcached(text.encode(), len(text))
        if peer and library.memcached_server_count(peer) == 0:
            continue
        expected = peer and [library.memcached_generate_hash(peer, key.encode(), len(key)) for key in KEYS]
        check(placed(text, "--kind", "libmemcached") == expected, repr(text))


def php_program():
    def option():
        hash = "Memcached::HASH_" + random.choice(["MD5", "CRC", "DEFAULT", "FNV1A_32", "MURMUR"])
        distribution = "Memcached::DISTRIBUTION_" + random.choice(["CONSISTENT", "CONSISTENT", "MODULA"])
        name, value = random.choice([
            ("LIBKETAMA_COMPATIBLE", "true"), ("LIBKETAMA_COMPATIBLE", "false"), ("DISTRIBUTION", distribution), ("HASH", hash),
            ("PREFIX_KEY", "'p:'"), ("SORT_HOSTS", "true"), ("TCP_NODELAY", "true"), ("HASH_WITH_PREFIX_KEY", "true"),
        ])
        return f"Memcached::OPT_{name}", value

    numbers = iter(range(1, 100))

    def server():
        number = next(numbers)
        host = random.choice([f"10.0.0.{number}", f"h{number}", f"/p{number}", f"::{number}"])
        port = 0 if host.startswith("/") else random.choice([11211, 11212])
        return f"'{host}', {port}" + random.choice(["", ", 0", ", 1", ", 3"])

    lines = ["<?php", "$m = new Memcached();", f"$m->addServers([[{server()}], [{server()}]]);"]
    for _ in range(random.randint(1, 5)):
        options = dict(option() for _ in range(random.randint(1, 3)))
        listed = ", ".join(f"{name} => {value}" for name, value in options.items())
        lines.append(random.choice([
            "$m->setOption({}, {});".format(*option()), f"$m->setOptions([{listed}]);", f"$m->addServer({server()});",
            f"$m->addServers([[{server()}], [{server()}]]);",
        ]))
    lines[2:] = random.sample(lines[2:], len(lines) - 2)
    return "\n".join(lines) + "\n"


def php():
    has_it = shutil.which("php") and "memcached" in subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split()
    if not has_it:
        sys.exit("PHP with memcached is not installed")
    ask = "foreach (file('{}', FILE_IGNORE_NEW_LINES) as $k) {{ $s = $m->getServerByKey($k); echo $s['host'], ' ', $s['port'], \"\\n\"; }}"
    for _ in range(COUNT):
        text = php_program()
        (folder / "given.php").write_text(text)
        (folder / "asked.php").write_text(text + ask.format(folder / "keys"))
        expected = subprocess.run(["php", folder / "asked.php"], capture_output=True, text=True).stdout.splitlines()
        expected = [line.split()[0] + " 0" if line.startswith("/") else line for line in expected]
        told = json.loads(doctor(folder / "given.php", "--json").stdout or '{"servers": []}')
        addresses = [server["address"] for server in told["servers"]]
        names = [a + " 0" if a[0] == "/" else "{} {}".format(a.rpartition(":")[0].strip("[]"), a.rpartition(":")[2]) for a in addresses]
        check([names[index] for index in placed(folder / "given.php") or []] == expected, text)


def twemproxy():
    if not shutil.which("nutcracker"):
        sys.exit("nutcracker is not installed")
    servers = [
        "a:1:1", "a:1", "a:1:0", "a:1:x", "a:0:1", "a:65536:1", "::1:11211:1", "[::1]:1:1", "/p:1", "/p", "a:1:1 x", "a:1:1 x y",
        "'a:1:1 x'", "a: 1:1", "a:1:+1", "a:01:1", "a:1:1 # r", "a:1:1#r", "b:1:1",
    ]
    keys = [
        "", "hash: md5", "hash: MD5", "distribution: random", "distribution: x", 'hash_tag: "{}"', "hash_tag: {}", "timeout: 4.0",
        "redis: yes", "unknown: x", "server_connections: 0", "redis_auth: x", "hash: &a md5", "hash: |\n    md5", "listen: a:1",
    ]
    for text in [(key, server) for key in keys for server in servers if key == "" or server == "a:1:1"]:
        key, server = text
        lines = "p:\n  listen: 127.0.0.1:22999\n" + (f"  {key}\n" if key else "") + f"  servers:\n  - {server}\n  - b:1:1\n"
        (folder / "given.yml").write_text(lines)
        peer = subprocess.run(["nutcracker", "-t", "-c", folder / "given.yml"], capture_output=True)
        check((peer.returncode == 0) == (doctor(folder / "given.yml", "--kind", "twemproxy").returncode == 0), lines)


print(f"seed {SEED}, {COUNT} configurations a peer")
random.seed(SEED)
for peer in [libmemcached, php, twemproxy]:
    asked, before = 0, wrong
    peer()
    print(f"{peer.__name__}: {asked} configurations, {wrong - before} wrong")
shutil.rmtree(folder)
sys.exit(wrong > 0)
