//! Configurations of other clients: which scheme, which options, which servers they mean.
//!
//! Each kind is read as its client reads it, with its defaults and its errors; what memring knows of that stands in the file
//! of the kind. A text is data here: nothing that it says is run, included or looked up. What the text alone cannot tell,
//! such as a name from the environment, is said as a [`Warning`] or an error.

use core::fmt;

use memring_client::{OwnedScheme, spec::Address};
use memring_core::Weight;

mod env;
mod go;
mod java;
mod libmemcached;
mod list;
mod login;
mod mcrouter;
mod memcached_proxy;
mod memjs;
mod memring;
mod nginx;
mod node;
mod php;
mod program;
mod python;
mod ruby;
mod servers;
#[cfg(test)]
mod testing;
mod tokens;
mod twemproxy;

use program::Program;
use tokens::Notation;

/// A kind of configuration.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, such as `twemproxy`.
    pub name: &'static str,
    /// What is read: the client, and which of its files or calls.
    pub about: &'static str,
    /// Whether a text is of this kind, as far as one sees.
    is_it: fn(&str) -> bool,
    read: Read,
}

/// How a kind is read.
#[derive(Clone, Copy, Debug)]
enum Read {
    Text(fn(&str) -> Result<Vec<Reading>, ConfigError>),
    /// A program in this notation.
    Program(Notation, fn(&Program<'_>) -> Result<Vec<Reading>, ConfigError>),
}

impl Kind {
    /// The kind called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// The kind that `text` is of: the first of [`KINDS`] that takes it for its own.
    #[must_use]
    pub fn of(text: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| (kind.is_it)(text))
    }
}

/// All kinds, the surest first.
pub const KINDS: &[Kind] = &[
    libmemcached::KIND,
    memring::KIND,
    php::LARAVEL,
    php::SYMFONY,
    php::ARRAY,
    php::INI,
    php::PECL,
    twemproxy::KIND,
    nginx::KIND,
    mcrouter::KIND,
    memcached_proxy::KIND,
    python::DJANGO,
    python::PYMEMCACHE,
    python::PYLIBMC,
    python::EMCACHE,
    python::LIBMC,
    python::PYTHON_MEMCACHED,
    ruby::RAILS,
    ruby::DALLI,
    java::XMEMCACHED,
    java::SPYMEMCACHED,
    go::KIND,
    memjs::KIND,
    node::HASHRING,
    node::MEMCACHED,
    list::ENVIRONMENT,
    list::PLAIN,
];

/// Kinds of programs that say for themselves what runs at times.
const KNOWS_BRANCHES: [&str; 3] = ["php-array", "laravel", "django"];

/// Reads `text`, which is of `kind`, or of the kind that it looks like.
///
/// # Errors
/// The client would refuse the text, or nobody can tell its kind. An error says where, and what to write instead.
pub fn read(text: &str, kind: Option<&Kind>) -> Result<Vec<Reading>, ConfigError> {
    let Some(kind) = kind.or_else(|| Kind::of(text)) else {
        return Err(ConfigError::of("no client is known that is configured so; name the kind"));
    };
    let mut readings = match kind.read {
        Read::Text(read) => read(text)?,
        Read::Program(notation, read) => {
            let program = Program::read(text, notation)?;
            let mut readings = read(&program).map_err(|error| error.because(program.why_unknown()))?;
            readings.iter_mut().for_each(|reading| tell_of_program(&program, kind.name, reading));
            readings
        }
    };
    for reading in &mut readings {
        reading.kind = kind.name;
        if login::is_in(text, kind.name) {
            let says = "a user and a password are in the text, and are not read here: to memring, say them by --auth-file or by \
                        `auth` in memring.toml";
            reading.warn("login-left-out", says);
        }
        if let Some(server) = reading.servers.iter().find_map(stands_for_another) {
            let line =
                (1..).zip(text.lines()).find(|(_, line)| line.contains(server)).map(|(number, _)| number);
            let says = format!("{server} stands for what is elsewhere; write its value in its place");
            return Err(ConfigError { line, says });
        }
        if let Some(scheme) = &reading.scheme {
            let options = reading.options.iter().map(|(name, value)| (&**name, &**value));
            OwnedScheme::named(scheme, options).map_err(|error| ConfigError::of(error.to_string()))?;
        }
    }
    Ok(readings)
}

/// Warns of what a program does beside what is read of it.
fn tell_of_program(program: &Program<'_>, kind: &str, reading: &mut Reading) {
    if !KNOWS_BRANCHES.contains(&kind) {
        if let Some(line) = program.branch() {
            let says =
                "the program does different things at different times, and is read here as if each line ran";
            reading.warn("branches", format!("line {line}: {says}; give the text of one case"));
        }
        if let Some(line) = program.spread() {
            let says = "what is taken in here from elsewhere is not read, and may have options that count: write it in its place";
            reading.warn("options-elsewhere", format!("line {line}: {says}"));
        }
    }
    let is_told = reading.warnings.iter().any(|warning| warning.trap == "changed-later");
    let doubts = if is_told { Vec::new() } else { program.doubts() };
    for (line, says) in &doubts {
        reading.warn("changed-later", format!("line {line}: {says}"));
    }
    let change = program.change().filter(|_| doubts.is_empty() && !KNOWS_BRANCHES.contains(&kind));
    if let Some(line) = change {
        let says = "a list, a table or a client is changed after it was made, which is not read here";
        reading.warn("changed-later", format!("line {line}: {says}"));
    }
}

/// What stands in the place of a server's host or path, if it is a name for something else.
fn stands_for_another(server: &ReadServer) -> Option<&str> {
    match &server.address {
        Address::Tcp { host, .. } => env::placeholder(host),
        Address::Unix(path) => env::placeholder(path),
    }
}

/// What a configuration says of the placement of keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The kind's name.
    pub kind: &'static str,
    /// The name of the pool, cache or upstream in its file, where a file has several.
    pub pool: Option<String>,
    /// The scheme, or `None` if memring has none that places keys so; a warning says why.
    pub scheme: Option<String>,
    /// The scheme's options, in order.
    pub options: Vec<(String, String)>,
    /// What the client puts before each key and places it with, beyond the scheme's options.
    pub prepend: String,
    /// What the client puts behind each key and places it with.
    pub append: String,
    /// The servers, in order.
    pub servers: Vec<ReadServer>,
    /// What to mind.
    pub warnings: Vec<Warning>,
}

/// A server of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadServer {
    /// The name that the client places keys by.
    pub name: String,
    /// The weight that the configuration gives it, also where the scheme ignores weights.
    pub weight: Weight,
    /// How the client reaches it.
    pub address: Address,
}

/// Something that a configuration does and its writer may not expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The trap's name, such as `weights-ignored`.
    pub trap: &'static str,
    /// What happens, and what to do.
    pub says: String,
}

impl Reading {
    /// A reading of the scheme `scheme`, with no servers yet.
    fn of(scheme: &str) -> Self {
        Self { scheme: Some(scheme.to_owned()), ..Self::default() }
    }

    /// Sets an option of the scheme, of which the last counts.
    fn option(&mut self, name: &str, value: impl Into<String>) {
        self.options.retain(|(other, _)| other != name);
        self.options.push((name.to_owned(), value.into()));
    }

    /// Warns of `trap`.
    fn warn(&mut self, trap: &'static str, says: impl Into<String>) {
        self.warnings.push(Warning { trap, says: says.into() });
    }
}

impl ReadServer {
    fn new(name: impl Into<String>, address: Address) -> Self {
        Self { name: name.into(), weight: Weight::default(), address }
    }

    fn weighing(self, weight: impl Into<Weight>) -> Self {
        Self { weight: weight.into(), ..self }
    }
}

/// Why a configuration cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    line: Option<usize>,
    says: String,
}

impl ConfigError {
    fn of(says: impl Into<String>) -> Self {
        Self { line: None, says: says.into() }
    }

    fn at(line: usize, says: impl Into<String>) -> Self {
        Self { line: Some(line), says: says.into() }
    }

    /// The same error, with why something had to be computed, if that is its reason and somebody knows.
    fn because(self, why: Option<String>) -> Self {
        let is_reason = ["computed", "no text", "no number"].iter().any(|word| self.says.contains(word));
        match why.filter(|_| is_reason) {
            Some(why) => Self { says: format!("{}; {why}", self.says), ..self },
            None => self,
        }
    }

    /// The same error in a text that begins behind `lines` others.
    fn behind(self, lines: usize) -> Self {
        Self { line: self.line.map(|line| line + lines), ..self }
    }

    /// The line that is wrong, counted from 1, where it is a line.
    #[must_use]
    pub const fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.says),
            None => f.write_str(&self.says),
        }
    }
}

impl core::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::{testing::told, *};

    fn traps_of(text: &str) -> Vec<&'static str> {
        let traps = ["branches", "changed-later", "options-elsewhere"];
        let warnings = read(text, None).unwrap().remove(0).warnings;
        warnings.into_iter().map(|warning| warning.trap).filter(|trap| traps.contains(trap)).collect()
    }

    #[test]
    fn what_a_program_does_later_or_at_times_is_told() {
        for (text, expected) in [
            ("import memcache\nmemcache.Client(['a:1', 'b:2'])", &[][..]),
            ("import memcache\nif __name__ == '__main__':\n    memcache.Client(['a:1'])", &[]),
            ("import memcache\no = ['a:1']\no.append('b:2')\nmemcache.Client(['a:1'])", &["changed-later"]),
            ("import pylibmc\nif b['ketama'] == 1:\n    pass\npylibmc.Client(['a'])", &["branches"]),
            ("o = ['a']\no << 'b'\nDalli::Client.new(['a'])", &["changed-later"]),
            ("mc := memcache.New(\"a:1\")\nif err != nil { }", &[]),
            ("import memcache\nh: list[str] = ['a:1']\nmemcache.Client(h)", &[]),
            ("mc := memcache.New(\"a:1\")\nif x { }", &["branches"]),
            ("new Memcached(['a:1'], { ...opts, timeout: 3 })", &["options-elsewhere"]),
            ("from pymemcache import HashClient\nHashClient(['a:1'], **opts)", &["options-elsewhere"]),
            ("Dalli::Client.new('a', { x: 1, **opts })", &["options-elsewhere"]),
            ("s := []string{\"a:1\"}\nmc := memcache.New(s...)", &[]),
            ("s := []string{\"a:1\"}\nlog.Println(s, len(s))\nmc := memcache.New(s...)", &[]),
            ("s := []string{\"a:1\"}\nprepare(s)\nmc := memcache.New(s...)", &["changed-later"]),
            ("import memcache\ns = ['a:1']\nprepare(s)\nmemcache.Client(s)", &["changed-later"]),
            ("import memcache\ns = ['a:1']\nt = s\nprepare(t)\nmemcache.Client(s)", &["changed-later"]),
            ("import memcache\ns = ['a:1']\ns.mangle()\nmemcache.Client(s)", &["changed-later"]),
            ("import memcache\nm = memcache.Client(['a:1'])\nm.set_servers(['b:1'])", &["changed-later"]),
            ("import memcache\nh = 'a:1'\nprepare(h)\nprint(h)\nmemcache.Client([h])", &[]),
            ("s = ['a']\nputs s.sort.join(',')\nDalli::Client.new(s)", &[]),
            ("const s = ['a:1'];\nconsole.log(s.length, s[0]);\nnew Memcached(s)", &[]),
            ("CACHES = {'default': {'BACKEND': 'x.PyMemcacheCache', 'LOCATION': ['a:1']}}\nx['y'] = 1", &[]),
            (
                "CACHES = {'default': {'BACKEND': 'x.PyMemcacheCache', 'LOCATION': ['a:1']}}\nrandom.shuffle(CACHES['default']['LOCATION'])",
                &["changed-later"],
            ),
        ] {
            assert_eq!(traps_of(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_name_stands_for_is_known_or_an_error() {
        for (text, line) in [
            ("import memcache\ns = ['a:1']\ns.append('b:2')\nmemcache.Client(s)", 4),
            ("import memcache\ns = ['a:1']\ns += ['b:2']\nmemcache.Client(s)", 4),
            ("import memcache\ns = ['a:1']\ns[0] = 'b:2'\nmemcache.Client(s)", 4),
            ("import memcache\ns = ['a:1']\nif x:\n    s = ['b:1']\nmemcache.Client(s)", 5),
            ("import memcache\nmemcache.Client([f'{h}:1'])", 2),
            ("import pylibmc\nb = {}\nb['ketama'] = True\npylibmc.Client(['a'], behaviors=b)", 4),
            ("s = ['a']\ns << 'b'\nDalli::Client.new(s)", 3),
            ("Dalli::Client.new(\"#{h}:1\")", 1),
            ("const s = ['a:1'];\ns.push('b:1');\nnew Memcached(s)", 3),
            ("new Memcached([`${h}:1`])", 1),
            ("s := []string{\"a:1\"}\ns = append(s, \"b:1\")\nmc := memcache.New(s...)", 3),
            ("s := []string{\"a:1\"}\nsort.Strings(s)\nmc := memcache.New(s...)", 3),
            ("s := []string{\"a:1\"}\nfunc f(s []string) {\nmc := memcache.New(s...) }", 3),
            ("s := []string{\"a:1\"}\nfunc (c *C) f(s []string) error {\nmc := memcache.New(s...) }", 3),
            ("s := []string{\"a:1\"}\nfor _, s := range x {\nmc := memcache.New(s...) }", 3),
            ("import memcache\ns = ['a:1']\nrandom.shuffle(s)\nmemcache.Client(s)", 4),
            ("import memcache\ns = ['a:1']\nt = s\nt.append('b:1')\nmemcache.Client(s)", 5),
            ("import memcache\ns = ['a:1']\ndel s[0]\nmemcache.Client(s)", 4),
            ("import memcache\ns = ['a:1']\ndef f(s):\n    memcache.Client(s)", 4),
            ("import memcache\ns = ['a:1']\nfor s in x:\n    memcache.Client(s)", 4),
            ("import memcache\ns = [['a:1', 1]]\ns[0][1] = 2\nmemcache.Client(s)", 4),
            ("import memcache\ns = ['a:1']\ns[0], x = 1, 2\nmemcache.Client(s)", 4),
            (
                "import pylibmc\nb = {'x': {}}\nb['x']['y'].update(ketama=True)\npylibmc.Client(['a'], behaviors=b)",
                4,
            ),
            ("o = { namespace: 'n' }\no.merge!(namespace: 'm')\nDalli::Client.new('a', o)", 3),
            ("s = ['a']\ns.push 'b'\nDalli::Client.new(s)", 3),
            ("s = ['a']\ns.each { |s|\nDalli::Client.new(s) }", 3),
            ("s = ['a']\ns ||= ['b']\nDalli::Client.new(s)", 3),
            ("const s = ['a:1'];\ns.length = 0;\nnew Memcached(s)", 3),
            ("const s = ['a:1'];\nx.map(s =>\nnew Memcached(s))", 3),
            ("const s = ['a:1'];\nx.map((i, s) =>\nnew Memcached(s))", 3),
            ("const s = ['a:1'];\nclass A { make(s: string[]): Memcached { return\nnew Memcached(s) } }", 3),
            ("const s = ['a:1'];\nfor (const s of x)\nnew Memcached(s)", 3),
            ("local b = { mcp.backend('l', 'a', 1) }\ntable.remove(b)\nmcp.pool(b)", 3),
            ("local b = { mcp.backend('l', 'a', 1) }\nb[#b + 1] = mcp.backend('l', 'b', 1)\nmcp.pool(b)", 3),
            (
                "local o = { seed = 'x' }\no.dist = mcp.dist_ring_hash\nmcp.pool({ mcp.backend('l', 'a', 1) }, o)",
                3,
            ),
        ] {
            let error = read(text, None).map(told).unwrap_err();
            assert_eq!(error.line(), Some(line), "{text}: {error}");
        }
        for (text, servers) in [
            (
                "import memcache\nservers: list[str] = ['a:1']\nif servers == 3: pass\nmemcache.Client(servers)",
                "a:1",
            ),
            (
                "S = %w[a:1 b:1].freeze\nN = 'n'.freeze\nDalli::Client.new(S, namespace: N)",
                "namespace=n a:1 b:1",
            ),
            ("const servers: string[] = ['a:1'];\nnew Memcached(servers)", "a:1"),
            ("import memcache\nx = {'s': ['b:1']}\ns = ['a:1']\nmemcache.Client(servers=s)", "a:1"),
        ] {
            assert!(told(read(text, None).unwrap()).contains(servers), "{text}");
        }
    }

    #[test]
    fn a_login_that_is_left_out_is_told_of() {
        let is_told = |text: &str| {
            let told = read(text, None).unwrap();
            told.iter().all(|reading| reading.warnings.iter().any(|warning| warning.trap == "login-left-out"))
        };
        for text in [
            "memcached://user:secret@10.0.0.1",
            "MEMCACHIER_SERVERS=user:secret@a:1",
            "Dalli::Client.new('memcached://user:secret@a:1')",
            "Dalli::Client.new('a:1', username: 'u', password: 'p')",
            "session.save_handler=memcached\nsession.save_path=a:1\nmemcached.sess_sasl_username=u",
        ] {
            assert!(is_told(text), "{text}");
        }
        for text in ["memcached://10.0.0.1", "MEMCACHED_SERVERS=a:1 # me@example.com"] {
            assert!(!is_told(text), "{text}");
        }
    }

    #[test]
    fn a_program_in_java_is_not_taken_for_php() {
        let text =
            "XMemcachedClient c = new XMemcachedClientBuilder(AddrUtil.getAddresses(\"a:1\")).build();\n";
        assert_eq!(read(text, None).unwrap()[0].kind, "xmemcached");
        let error = read(&format!("{text}c.addServer(\"b\", 2);"), None).unwrap_err();
        assert_eq!(error.line(), Some(2));
    }

    #[test]
    fn an_environment_with_more_than_the_servers_is_one() {
        let readings = read("MEMCACHE_SERVERS=a:1,b:2 # both\n# remark\nOTHER=1,2\n", None).unwrap();
        assert_eq!(readings[0].kind, "env");
        assert!(told(readings).contains("a:1 b:2"));
    }

    #[test]
    fn what_stands_for_a_server_is_no_server() {
        for (text, sign) in [
            ("import memcache\nmemcache.Client(['${host}:1'])", "${host}"),
            ("upstream m {\nserver $host:1; hash $uri; }", "$host"),
            ("import memcache\nmemcache.Client(['{{ host }}:1'])", "{{ host }}"),
            ("import memcache\nmemcache.Client(['<host>:1'])", "<host>"),
            ("import memcache\nmemcache.Client(['unix:/run/$X/m.sock'])", "$X"),
        ] {
            let error = read(text, None).map(told).unwrap_err();
            assert_eq!(error.line(), Some(2), "{text}: {error}");
            assert!(error.to_string().contains(sign), "{error}");
        }
    }

    #[test]
    fn settings_of_one_folder_or_host_are_not_those_of_all() {
        let all = "memcached.default_consistent_hash=1\n";
        for section in ["[PATH=/var/www/x]", "[host=x]"] {
            let text = format!("{all}{section}\nmemcached.default_consistent_hash=0\n[PHP]\n");
            assert_eq!(told(read(&text, None).unwrap()), told(read(all, None).unwrap()), "{section}");
        }
    }

    #[test]
    fn what_nginx_includes_is_not_read() {
        let text =
            "upstream m {\n hash $memcached_key consistent;\n include servers.conf;\n server a:11211;\n}";
        assert_eq!(read(text, None).unwrap_err().line(), Some(3));
    }
}
