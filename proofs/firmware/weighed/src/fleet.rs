// What the build script and the programs agree on.

/// The servers of a ring in flash.
pub const FLEET: [Server<'static>; 3] =
    [Server::new("10.0.1.1:11211"), Server::new("10.0.1.2:11211").weighing(2), Server::new("10.0.1.3:11212")];

/// The servers of a ring that is built at the start.
pub const LARGE_FLEET: [Server<'static>; 8] = [
    Server::new("10.0.1.1:11211"),
    Server::new("10.0.1.2:11211"),
    Server::new("10.0.1.3:11211"),
    Server::new("10.0.1.4:11211"),
    Server::new("10.0.1.5:11211"),
    Server::new("10.0.1.6:11211"),
    Server::new("10.0.1.7:11211"),
    Server::new("10.0.1.8:11211"),
];

/// The keys to be placed.
pub const KEYS: [&[u8]; 8] =
    [b"tokyo", b"oslo", b"lima", b"cairo", b"turin", b"quito", b"a-longer-key-of-thirty-letters", b"k"];
