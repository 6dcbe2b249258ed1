use super::super::{
    read,
    testing::{names, one},
};

#[test]
fn django_cuts_a_text_and_keeps_its_blanks() {
    let settings = |location: &str| {
        format!(
            "CACHES = {{'default': {{'BACKEND': 'django.core.cache.backends.memcached.PyMemcacheCache', 'LOCATION': {location}}}}}"
        )
    };
    let reading = one(&settings("'a:1, b:2;/run/m.sock'"));
    assert_eq!(
        (reading.pool.as_deref(), names(&reading)),
        (Some("default"), vec!["a:1", " b:2", "/run/m.sock"])
    );
    assert_eq!((reading.prepend.as_str(), reading.warnings[0].trap), (":1:", "blank-in-location"));
    let error = read(&settings("os.environ['CACHES']"), None).unwrap_err();
    assert!(error.to_string().contains("LOCATION is computed"), "{error}");
}

#[test]
fn django_has_several_caches_and_variables() {
    let text = "SERVERS = ('a', 'b:2')\nCACHES = {\n 'x': {'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'},\n \
                'y': {'BACKEND': 'django.core.cache.backends.memcached.MemcachedCache', 'LOCATION': SERVERS, 'VERSION': 3},\n \
                'z': {'BACKEND': 'django.core.cache.backends.memcached.PyLibMCCache', 'LOCATION': ['unix:/run/m']},\n}";
    let readings = read(text, None).unwrap();
    let told: Vec<_> = readings.iter().map(|r| (r.pool.as_deref().unwrap(), names(r), &*r.prepend)).collect();
    assert_eq!(told, [("y", vec!["a:11211", "b:2"], ":3:"), ("z", vec!["/run/m"], ":1:")]);
}

#[test]
fn pylibmc_is_told_by_its_behaviors() {
    let client = |rest: &str| {
        one(&format!(
            "import pylibmc\nservers = ['a:11211:2', '[::1]:3']\nmc = pylibmc.Client(servers{rest})"
        ))
    };
    for (rest, scheme) in [
        ("", "pylibmc-modula"),
        (", behaviors={'ketama': True}", "pylibmc-ketama"),
        (", behaviors={'ketama_weighted': 1, 'hash': 'crc'}", "pylibmc-ketama-weighted"),
        (", binary=True, behaviors={'distribution': 'consistent', 'hash': 'md5'}", "pylibmc-consistent"),
    ] {
        let reading = client(rest);
        assert_eq!(
            (reading.scheme.as_deref(), names(&reading)),
            (Some(scheme), vec!["a", "[::1]:3"]),
            "{rest}"
        );
    }
    let mixed = read("import pylibmc\npylibmc.Client(['a', '/run/m.sock'])", None).unwrap_err();
    assert!(mixed.to_string().contains("not both"), "{mixed}");
}

#[test]
fn what_is_set_later_or_twice_is_not_guessed() {
    for later in ["mc.behaviors['ketama'] = True", "mc.behaviors = {'hash': 'md5'}"] {
        let reading = one(&format!(
            "import pylibmc\nmc = pylibmc.Client(['a'], behaviors={{'ketama': True}})\n{later}"
        ));
        assert_eq!(
            (reading.scheme, reading.warnings.last().unwrap().trap),
            (None, "behaviors-after-servers"),
            "{later}"
        );
    }
    let tuned = one("import pylibmc\nmc = pylibmc.Client(['a'])\nmc.behaviors['tcp_nodelay'] = True");
    assert_eq!(tuned.scheme.as_deref(), Some("pylibmc-modula"));
    let error = read("a = HashClient(['a'])\nb = HashClient(['b'])", None).unwrap_err();
    assert_eq!(error.line(), Some(2), "{error}");
    assert_eq!(one("from libmc import ClientPool\nClientPool(['a:1'])").kind, "libmc");
    let reading = one("import memcache\nmemcache.SERVER_MAX_VALUE_LENGTH = 1\nmc = memcache.Client(['a'])");
    assert_eq!(reading.kind, "python-memcached");
}

#[test]
fn the_package_django_pylibmc_takes_behaviors_for_options() {
    let cache = |backend: &str, options: &str| {
        format!(
            "CACHES = {{'default': {{'BACKEND': '{backend}.PyLibMCCache', 'LOCATION': ['a'], 'OPTIONS': {options}}}}}"
        )
    };
    let reading = one(&cache("django_pylibmc.memcached", "{'tcp_nodelay': True, 'ketama': True}"));
    assert_eq!(reading.scheme.as_deref(), Some("pylibmc-ketama"));
    assert!(read(&cache("django.core.cache.backends.memcached", "{'ketama': True}"), None).is_err());
    let text =
        cache("django.core.cache.backends.memcached", "{}") + "\nCACHES['default']['KEY_PREFIX'] = 'late'";
    assert_eq!(one(&text).warnings[0].trap, "changed-later");
}

#[test]
fn django_hands_pairs_on_and_brackets_around_one_text_are_none() {
    let cache = |backend: &str, location: &str| {
        format!(
            "CACHES = {{'default': {{'BACKEND': 'django.core.cache.backends.memcached.{backend}', 'LOCATION': {location}}}}}"
        )
    };
    let reading = one(&cache("MemcachedCache", "[('a:1', 3), 'b:2']"));
    assert_eq!((names(&reading), reading.servers[0].weight), (vec!["a:1", "b:2"], 3.into()));
    assert_eq!(names(&one(&cache("PyMemcacheCache", "[('a', 1), 'b:2']"))), ["a:1", "b:2"]);
    assert_eq!(names(&one(&cache("PyMemcacheCache", "('a:1,b:2')"))), ["a:1", "b:2"]);
    assert_eq!(names(&one(&cache("PyMemcacheCache", "('a:1',)"))), ["a:1"]);
    assert!(read(&cache("PyLibMCCache", "[('a:1', 3)]"), None).is_err());
    let tables = "CACHES = dict(default=dict(BACKEND='django.core.cache.backends.memcached.PyMemcacheCache', LOCATION='a:1'))";
    assert_eq!(one(tables).pool.as_deref(), Some("default"));
    let hasher = one(&cache("PyMemcacheCache", "['a'], 'OPTIONS': {'hasher': MyHash}"));
    assert_eq!((hasher.scheme, hasher.warnings[0].trap), (None, "own-hasher"));
    let twice = format!("{}\nCACHES['default']['LOCATION'] = 'x'", cache("PyMemcacheCache", "'a'"));
    assert!(one(&twice).warnings[0].says.starts_with("line 2: CACHES is given or changed"));
}

#[test]
fn pymemcache_takes_pairs_and_texts() {
    let reading =
        one("HashClient([('a', 1), 'b', '[fd00::1]', '::1', 'unix:/r', ('fd00::2', 3)], hasher=Mine)");
    assert_eq!(names(&reading), ["a:1", "b:11211", "fd00::1:11211", "::1", "/r", "fd00::2:3"]);
    assert_eq!(reading.scheme, None);
    assert_eq!(
        names(&one("from pymemcache.client.base import Client\nc = Client(('h', 11212))")),
        ["h:11212"]
    );
}

#[test]
fn others_of_python() {
    let reading = one("import memcache\nmc = memcache.Client([('a:1', 3), 'unix:/r', 'inet6:[::1]:2', 'h'])");
    assert_eq!(names(&reading), ["a:1", "/r", "[::1]:2", "h:11211"]);
    let reading = one(
        "c = await emcache.create_client([emcache.MemcachedHostAddress('a', 1), MemcachedHostAddress(address='b', port=2)])",
    );
    assert_eq!(names(&reading), ["a:1", "b:2"]);
    let reading = one(
        "from libmc import Client, MC_HASH_FNV1A_32\nClient(['a:1 x', 'b'], prefix='p', hash_fn=MC_HASH_FNV1A_32)",
    );
    assert_eq!((names(&reading), &*reading.prepend), (vec!["x", "b"], "p"));
    for (text, says) in [
        ("memcache.Client(servers())", "line 1: the servers are computed: write the list in their place"),
        ("\nmemcache.Client([('a', 'b', 'c')])", "line 2: a server in brackets is a text and a weight"),
        ("memcache.Client(['a:b'])", "line 1: \"b\" is no port: write a number from 0 to 65535"),
    ] {
        assert_eq!(read(text, None).unwrap_err().to_string(), says);
    }
}

#[test]
fn of_two_caches_with_one_name_the_last_counts() {
    let backend = "'BACKEND': 'django.core.cache.backends.memcached.PyMemcacheCache'";
    let text = format!(
        "CACHES = {{\n'default': {{{backend}, 'LOCATION': 'a:1'}},\n'default': {{{backend}, 'LOCATION': 'b:1'}}}}"
    );
    let reading = one(&text);
    assert_eq!((names(&reading), reading.warnings[0].trap), (vec!["b:1"], "given-twice"));
    assert!(reading.warnings[0].says.starts_with("line 2: "), "{:?}", reading.warnings);
    let text = format!("H = 'a:1'\nL = [H, 'b:1']\nCACHES = {{'default': {{{backend}, 'LOCATION': L}}}}");
    assert_eq!(names(&one(&text)), ["a:1", "b:1"]);
}

#[test]
fn arguments_may_stand_without_their_names() {
    let scheme = |text: &str| one(text).scheme;
    assert_eq!(
        scheme("import pylibmc\npylibmc.Client(['a'], {'ketama': True})").as_deref(),
        Some("pylibmc-ketama")
    );
    assert_eq!(scheme("from pymemcache import HashClient\nHashClient(['a'], Own)"), None);
    let reading = one("import libmc\nlibmc.Client(['a', 'b'], True, 0, False, 'p')");
    assert_eq!(reading.prepend, "p");
}
